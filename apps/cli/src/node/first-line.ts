/**
 * Text that a command takes from standard input or a file, under a limit.
 *
 * L1. Never more than the limit is held; what comes after the first line of standard input stays unread.
 */
import { closeSync, openSync, readSync } from "node:fs";

/** The first non-empty line of a stream, trimmed, or `undefined` at its end or past `limit` bytes (L1). The stream stays open. */
export function readFirstLine(stream: NodeJS.ReadStream, limit: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let held = "";
    const finish = (line: string | undefined): void => {
      stream.off("data", take).off("end", end).off("error", fail);
      stream.pause();
      resolve(line);
    };
    const take = (chunk: Buffer | string): void => {
      held = (held + chunk.toString()).trimStart();
      const newline = held.indexOf("\n");
      if (newline >= 0) finish(held.slice(0, newline).trim());
      else if (held.length > limit) finish(undefined);
    };
    const end = (): void => finish(held.trim() || undefined);
    const fail = (error: Error): void => reject(error);
    stream.on("data", take).on("end", end).on("error", fail);
  });
}

/** The whole of a stream, or `undefined` past `limit` bytes (L1). */
export async function readAll(stream: NodeJS.ReadStream, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let held = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Buffer);
    held += bytes.length;
    if (held > limit) return undefined;
    chunks.push(bytes);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** The first `limit + 1` bytes of a file at most, so that the caller can tell that it is longer. */
export function readBounded(path: string, limit: number): Uint8Array {
  const file = openSync(path, "r");
  try {
    const chunks: Buffer[] = [];
    let held = 0;
    while (held <= limit) {
      const buffer = Buffer.allocUnsafe(Math.min(64 * 1024, limit + 1 - held));
      const size = readSync(file, buffer, 0, buffer.length, null);
      if (size === 0) break;
      held += size;
      chunks.push(buffer.subarray(0, size));
    }
    return new Uint8Array(Buffer.concat(chunks));
  } finally {
    closeSync(file);
  }
}
