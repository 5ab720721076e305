/** Writing a file so that a crash leaves the old content or the new. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";

/** Write and flush, for this user only. */
export function writeFlushed(path: string, content: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Replace a file by writing beside it, flushing and renaming. */
export function replaceFile(path: string, content: string): void {
  writeFlushed(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
