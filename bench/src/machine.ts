/** Facts about the machine and the tree a run measures. */
import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, loadavg } from "node:os";
import type { MachineFacts } from "./result.ts";

/** What is known when a run begins. */
export function machineFacts(): Omit<MachineFacts, "stealPct"> {
  return {
    cpu: cpus()[0]?.model.trim() || "unknown",
    cores: availableParallelism(),
    node: process.versions.node,
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

/** The commit of a working tree, `+dirty` when tracked files differ from it, `unknown` outside a repository. */
export function commitOf(folder: string): string {
  const git = (...args: readonly string[]): string =>
    execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const commit = git("rev-parse", "HEAD");
    return git("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit}+dirty`;
  } catch {
    return "unknown";
  }
}
