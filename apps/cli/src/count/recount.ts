/** A second pass over the files that counts a few given words exactly, in memory that does not follow the input. */
import { closeSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { CountedFile } from "./count-messages.ts";
import { FrequencyTable } from "./frequency.ts";
import { FileWords } from "./tally.ts";
import { keyOfShown, shownKey, type WordCount } from "./words.ts";

const PIECE = 64 * 1024;

/**
 * How often each of `words` occurs in the first `bytes` of each file, and the CRC-32 of what was read. Long words that show the
 * same prefix and length are counted as one. Blocks its thread.
 */
export function recount(
  files: readonly CountedFile[],
  words: readonly WordCount[],
): { readonly counts: readonly number[]; readonly digest: number } {
  const table = new FrequencyTable();
  const keys = words.map(keyOfShown);
  for (const key of keys) table.add(key, key.length);
  const text = new FileWords((key, length) => table.addHeld(key, shownKey(key, length)));
  const buffer = new Uint8Array(PIECE);
  let digest = 0;
  for (const { path, bytes } of files) {
    const file = openSync(Buffer.from(path), "r");
    try {
      for (let left = bytes; left > 0; ) {
        const size = readSync(file, buffer, 0, Math.min(PIECE, left), null);
        if (size === 0) break;
        const piece = buffer.subarray(0, size);
        digest = crc32(piece, digest);
        text.push(piece);
        left -= size;
      }
    } finally {
      closeSync(file);
    }
    text.endFile();
  }
  return { counts: keys.map((key) => table.count(key) - 1), digest };
}
