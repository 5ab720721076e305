/** Where things are in this repository: its root, its workspace folders and its files. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The root of the repository. */
export const repositoryRoot: string = join(import.meta.dirname, "..", "..");

/** The workspace's folders that hold a package.json, relative to `root`, with forward slashes, sorted. */
export function workspaceFolders(root: string): string[] {
  const nested = ["packages", "apps", "examples", "scripts"].flatMap((parent) => children(root, parent));
  return [...nested, "bench", "conformance"]
    .filter((dir) => existsSync(join(root, dir, "package.json")))
    .sort();
}

/** Every file git tracks or would track (untracked and not ignored) that exists, relative to `root`, sorted. */
export function repositoryFiles(root: string): string[] {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const listed = execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const files = [...new Set(listed.split("\0"))].filter(
    (file) => file !== "" && existsSync(join(root, file)),
  );
  return files.sort();
}

function children(root: string, parent: string): string[] {
  const dir = join(root, parent);
  return existsSync(dir) ? readdirSync(dir).map((name) => `${parent}/${name}`) : [];
}
