/**
 * Makes a folder and those above it that are missing, one by one.
 *
 * MF1. It ends on every file system: where the system says that a parent which is there is not (as /proc does), Node's own recursive
 *      `mkdirSync` asks again without end; here the first refusal is thrown.
 */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** Make `path`, which is absolute. A folder that is there stays as it is. @throws the system's error, as `mkdirSync` does. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}
