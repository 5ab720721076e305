/**
 * Which programs a node runs outside the sandbox: durable agents (docs/durable-agents.md). None, unless its operator says so.
 *
 * PS1. `uploaded` lets every member of the cluster run code in this node's process. A folder lets them run what lies in it and nothing else.
 */
import { existsSync, statSync } from "node:fs";
import { BadOptionsError } from "../errors.ts";

/** What is allowed: whatever is uploaded, or the files `*.js` and `*.mjs` of a folder. */
export type ProgramSettings = "uploaded" | { readonly folder: string };

/** Refuse what no node can start with. @throws {BadOptionsError} */
export function checkProgramSettings(settings: ProgramSettings): void {
  if (settings === "uploaded") return;
  const folder: unknown = (settings as { readonly folder?: unknown } | null)?.folder;
  if (typeof folder !== "string" || folder === "")
    throw new BadOptionsError("`programs` is neither `uploaded` nor names a folder");
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new BadOptionsError(`The folder of programs ${folder} is not there`);
}
