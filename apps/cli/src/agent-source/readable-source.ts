/** Whether the source of an agent is there at all, said before a bundler speaks of it. */
import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { reasonOf, SourceUnreadableError } from "../errors.ts";

/** Refuse a path that is no file which can be read. @throws {SourceUnreadableError} */
export function requireSource(path: string): void {
  const whole = resolve(path);
  try {
    accessSync(whole, constants.R_OK);
  } catch (cause) {
    throw new SourceUnreadableError(whole, reasonOf(cause), cause);
  }
  if (statSync(whole).isDirectory()) throw new SourceUnreadableError(whole, "it is a folder");
}
