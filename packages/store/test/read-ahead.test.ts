import fc from "fast-check";
import { expect, it } from "vitest";
import type { JournalFile } from "../src/journal/file/files.ts";
import { ReadAhead, WINDOW_BYTES } from "../src/journal/file/read-ahead.ts";

const END = 3 * WINDOW_BYTES;

/** A file that counts its reads; what is after `END` changes with each of them. */
function counted(seed: number): { readonly file: JournalFile; readonly content: Uint8Array; reads: number } {
  const content = Uint8Array.from({ length: END + 100 }, (_, i) => (i * 31 + seed) % 251);
  const state = {
    content,
    reads: 0,
    file: {
      size: content.length,
      read(at: number, length: number) {
        state.reads += 1;
        content.fill(state.reads % 251, END);
        return content.slice(at, at + length);
      },
      write() {},
      sync() {},
      close() {},
    },
  };
  return state;
}

const asked = fc.record({
  number: fc.integer({ min: 1, max: 2 }),
  at: fc.integer({ min: 0, max: END - 1 }),
  step: fc.integer({ min: 0, max: 9 }),
  length: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: WINDOW_BYTES })),
});

it("every read gives the bytes of its file at its place, in any order, and the caller keeps them", () => {
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 40 }), (reads) => {
      const files = [counted(1), counted(2)];
      const ahead = new ReadAhead();
      for (const { number, at, length, step } of reads)
        for (let i = 0; i < step; i++) {
          const from = at + i * length;
          if (from + length > END) break;
          const { file, content } = files[number - 1] as (typeof files)[number];
          const bytes = ahead.read(file, number, from, length, END);
          expect(Buffer.compare(bytes, content.subarray(from, from + length))).toBe(0);
          bytes.fill(255);
        }
    }),
  );
});

it("reads that follow each other cost a few reads of the file; reads far apart cost one each, of their own size", () => {
  const state = counted(3);
  const ahead = new ReadAhead();
  for (let at = 0; at + 100 <= END; at += 100) ahead.read(state.file, 1, at, 100, END);
  expect(state.reads).toBeLessThanOrEqual(6);
  const before = state.reads;
  for (const at of [2 * WINDOW_BYTES + 7, 7, WINDOW_BYTES + 9_000]) ahead.read(state.file, 1, at, 50, END);
  expect(state.reads - before).toBeLessThanOrEqual(3);
});
