/**
 * An export of a node, into a file.
 *
 * KE1. The file has its name only when all of it is there and flushed; when this returns, the name is flushed, too. What fails leaves neither
 *      the file nor a part of it.
 */
import { rmSync } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { BegunExport, NodeApi } from "@glia-os/daemon";
import { reasonOf } from "../errors.ts";
import { FileUnwritableError } from "./errors.ts";

/** Write it. @throws {FileUnwritableError} */
export async function keepExport(
  node: Pick<NodeApi, "readExport">,
  begun: Pick<BegunExport, "id" | "bytes">,
  path: string,
): Promise<void> {
  const part = `${path}.part`;
  let made = part;
  let file: FileHandle | undefined;
  try {
    file = await open(part, "w", 0o600);
    await copy(node, begun, file, path);
    await file.sync();
    await file.close();
    await rename(part, path);
    made = path;
    await syncFolder(dirname(path));
  } catch (error) {
    await file?.close().catch(() => undefined);
    rmSync(made, { force: true });
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new FileUnwritableError(path, reasonOf(error), error);
  }
}

async function copy(
  node: Pick<NodeApi, "readExport">,
  { id, bytes }: Pick<BegunExport, "id" | "bytes">,
  file: FileHandle,
  path: string,
): Promise<void> {
  let at = 0;
  while (at < bytes) {
    const piece = await node.readExport(id, at);
    if (piece.length === 0) break;
    await file.appendFile(piece); // write() may write a part of it only, when the disk is almost full.
    at += piece.length;
  }
  const { size } = await file.stat();
  if (size !== bytes) throw new FileUnwritableError(path, `it has ${size} of ${bytes} bytes`);
}

/** Windows has no folders that can be opened and flushed. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
