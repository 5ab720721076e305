/**
 * Typechecks every workspace package with its own tsconfig.json, its tests with theirs, and the root's for scripts and configuration.
 * Each runs in a process of its own, at most one per core; only the failing ones print.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { runChild } from "./workspace/children.ts";
import { repositoryRoot as root, workspaceFolders } from "./workspace/packages.ts";

const tsc = join(root, "node_modules/typescript/bin/tsc");
const only = process.argv.slice(2);

const folders = [".", ...workspaceFolders(root)].filter((dir) => only.length === 0 || only.includes(dir));
const wanted = folders
  .flatMap((dir) => (dir === "." ? [dir] : [dir, `${dir}/test`]))
  .filter((dir) => existsSync(join(root, dir, "tsconfig.json")));
const queue = [...wanted];
const failed: string[] = [];

async function check(): Promise<void> {
  for (let dir = queue.shift(); dir !== undefined; dir = queue.shift()) {
    const cache = join(root, "node_modules/.cache/typecheck", `${dir.replaceAll("/", "-")}.tsbuildinfo`);
    const args = [tsc, "-p", join(root, dir), "--noEmit", "--incremental", "--tsBuildInfoFile", cache];
    const { code, stdout, stderr } = await runChild(process.execPath, args, { cwd: root });
    if (code === 0) continue;
    failed.push(dir);
    console.error(`${dir}:\n${stdout}${stderr}`);
  }
}

if (wanted.length === 0) {
  console.error(
    `no tsconfig.json found for: ${only.join(" ")}. Name workspace folders, such as packages/abi.`,
  );
  process.exit(2);
}
await Promise.all(Array.from({ length: availableParallelism() }, check));
console.log(`typecheck: ${wanted.length} projects, ${failed.length} failed`);
console.log(`counts: ${wanted.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
