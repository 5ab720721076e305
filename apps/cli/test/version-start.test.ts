/** What `glia --version` loads. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { cliMain } from "./run-cli.ts";

it("M1: glia --version loads two files of ours and no package", () => {
  const observer = `
    import { registerHooks } from "node:module";
    registerHooks({ load: (url, context, next) => { process.stderr.write("load " + url + "\\n"); return next(url, context); } });`;
  const hook = `data:text/javascript,${encodeURIComponent(observer)}`;
  const args = ["--conditions=@glia-os/source", `--import=${hook}`, cliMain, "--version"];
  const stderr = execFileSync("/bin/sh", ["-c", '"$0" "$@" 2>&1 >/dev/null', process.execPath, ...args], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const loaded = stderr
    .split("\n")
    .filter((line) => line.startsWith("load file:"))
    .map((line) => fileURLToPath(line.slice("load ".length)).replace(/^.*\/apps\/cli\//, ""));
  expect(loaded.sort()).toEqual(["src/main.ts", "src/package-root.ts"]);
});
