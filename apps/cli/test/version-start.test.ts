/** What a command line loads before it does anything. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { cliMain } from "./run-cli.ts";

const root = new URL("../../../", import.meta.url);

/** Files that a command line loads, from the root of the repository. */
function loadedBy(...args: readonly string[]): readonly string[] {
  const observer = `
    import { registerHooks } from "node:module";
    registerHooks({ load: (url, context, next) => { process.stderr.write("load " + url + "\\n"); return next(url, context); } });`;
  const hook = `data:text/javascript,${encodeURIComponent(observer)}`;
  const all = ["--conditions=@glia-os/source", `--import=${hook}`, cliMain, ...args];
  const stderr = execFileSync("/bin/sh", ["-c", '"$0" "$@" 2>&1 >/dev/null', process.execPath, ...all], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  return stderr
    .split("\n")
    .filter((line) => line.startsWith("load file:"))
    .map((line) => fileURLToPath(line.slice("load ".length)).replace(fileURLToPath(root), ""))
    .sort();
}

it("M1: glia --version loads two files of ours and no package", () => {
  expect(loadedBy("--version")).toEqual(["apps/cli/src/main.ts", "apps/cli/src/package-root.ts"]);
});

it("P1: help of a command loads the command tree, and nothing of nodes, meshes or guests", () => {
  const packages = loadedBy("mesh", "start", "--help").flatMap(
    (file) => /^packages\/[^/]+(\/src\/config)?/.exec(file)?.[0] ?? [],
  );
  expect([...new Set(packages)].sort()).toEqual(["packages/abi", "packages/daemon/src/config"]);
});
