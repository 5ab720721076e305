/**
 * One file in pieces.
 *
 * RP1. What the file held when it was opened is read, or less if it shrinks: a file that grows for ever still ends.
 * RP2. Both counts get the same pieces, so they agree whatever happens to the file.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { InputUnreadableError } from "../errors.ts";

/** Files of the system that claim to be empty are read up to this many bytes. */
const UNSIZED_MAX = 16 * 1024 * 1024;

// Without O_NONBLOCK, a pipe that took the file's place since the first pass would hold the run for ever.
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** One piece. A file has at least one; the last one is marked, and may be empty. */
export interface Piece {
  /** Valid until the next piece is asked for: all pieces of a file share one buffer. */
  readonly bytes: Uint8Array;
  readonly first: boolean;
  readonly last: boolean;
}

/** The pieces of a file, each of at most `pieceBytes` (RP1). @throws {InputUnreadableError} */
export async function* readPieces(path: Buffer, pieceBytes: number): AsyncGenerator<Piece, void> {
  const file = await orUnreadable(path, open(path, FLAGS));
  try {
    const found = await orUnreadable(path, file.stat());
    if (!found.isFile()) throw new InputUnreadableError(path.toString(), "it is not a regular file any more");
    let left = found.size === 0 ? UNSIZED_MAX : found.size;
    const buffer = new Uint8Array(Math.min(pieceBytes, left));
    for (let first = true, last = false; !last; first = false) {
      const bytes = await readFull(path, file, buffer.subarray(0, left));
      left -= bytes.length;
      last = left === 0 || bytes.length === 0;
      yield { bytes, first, last };
    }
  } finally {
    await file.close();
  }
}

/** Fill the buffer as far as the file goes; what was read. */
async function readFull(path: Buffer, file: FileHandle, buffer: Uint8Array): Promise<Uint8Array> {
  let held = 0;
  while (held < buffer.length) {
    const { bytesRead } = await orUnreadable(path, file.read(buffer, held, buffer.length - held, null));
    if (bytesRead === 0) break;
    held += bytesRead;
  }
  return buffer.subarray(0, held);
}

async function orUnreadable<T>(path: Buffer, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new InputUnreadableError(path.toString(), cause);
  }
}
