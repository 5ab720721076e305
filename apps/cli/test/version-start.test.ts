/** What a command line loads before it does anything. */
import { execFileSync, type SpawnSyncReturns, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CliError } from "@glia-os/abi/errors/cli";
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

const TOO_OLD =
  "glia needs Node 24 or newer, and this is Node 20.20.0. Install a newer Node, https://nodejs.org, and run the command again.";

/** The failure as the command line would report it if it could be loaded. */
class NodeTooOld extends CliError<"cli.node-too-old"> {}

/** Runs a command line on what says that it is Node 20. */
function onNode20(...args: readonly string[]): SpawnSyncReturns<string> {
  const older = `data:text/javascript,Object.defineProperty(process.versions, "node", { value: "20.20.0" })`;
  const all = ["--conditions=@glia-os/source", `--import=${older}`, cliMain, ...args];
  return spawnSync(process.execPath, all, { encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } });
}

it("M2: on a Node that is too old every command but --version says so and what to do, also as JSON", () => {
  const { status, stdout, stderr } = onNode20("agent", "list", "--json");
  expect([status, stderr]).toEqual([1, `glia: ${TOO_OLD}\n`]);
  const { error } = JSON.parse(stdout) as { error: { message: string } };
  expect(error).toEqual(new NodeTooOld("cli.node-too-old", error.message).toRecord());
  expect(onNode20("--version").status).toBe(0);
});
