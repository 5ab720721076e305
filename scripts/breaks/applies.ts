/** Whether the patches of breaks still fit the source they change. */
import { spawnSync } from "node:child_process";
import type { Break } from "./break.ts";

/** What git says of a patch that does not apply to the tree at `root`; undefined for one that does. Nothing is changed. */
export function misfit(root: string, { patch }: Break): string | undefined {
  const { status, stderr, error } = spawnSync("git", ["apply", "--check", "--whitespace=nowarn", "-"], {
    cwd: root,
    input: patch,
    encoding: "utf8",
  });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim();
}
