/** Memory of pieces that is used again (PM1 and PM2 of piece-memory.ts), and what a pre-copy that uses it sends. */
import { expect, it } from "vitest";
import {
  PieceMemory,
  PreCopySource,
  PreCopyTarget,
  type WasmInstance,
  type WasmProgram,
} from "../src/index.ts";
import { RecordingHost } from "./guest.ts";
import { rewritingProgram } from "./rewriting.ts";

it("memory of pieces is used again once it was given back, and only then", () => {
  const pieces = new PieceMemory();
  const one = pieces.take(100).fill(1);
  const two = pieces.take(131_072).fill(2);
  expect([one.length, one[0], two.length]).toEqual([100, 1, 131_072]);
  expect(two.buffer).not.toBe(one.buffer);
  pieces.give(one);
  pieces.give(one);
  const again = [pieces.take(50), pieces.take(50)].map(({ buffer }) => buffer);
  expect(again[0]).toBe(one.buffer);
  expect(again[1]).not.toBe(one.buffer);
  expect(two.every((byte) => byte === 2)).toBe(true);
});

it("what it did not hand out, and what is longer than a piece, is not kept", () => {
  const pieces = new PieceMemory();
  const foreign = new Uint8Array(131_072);
  pieces.give(foreign);
  expect(pieces.take(10).buffer).not.toBe(foreign.buffer);
  const long = pieces.take(10_000_000);
  pieces.give(long);
  expect(pieces.take(10).buffer).not.toBe(long.buffer);
});

it("keeps at most 64 pieces", () => {
  const pieces = new PieceMemory();
  const all = Array.from({ length: 70 }, () => pieces.take(1));
  const buffers = new Set(all.map(({ buffer }) => buffer));
  for (const piece of all) pieces.give(piece);
  const next = Array.from({ length: 70 }, () => pieces.take(1));
  expect(next.filter(({ buffer }) => buffers.has(buffer)).length).toBe(64);
});

/** The bytes of a pre-copy whose pieces are given back as soon as the target has them. */
function moved(
  it: WasmInstance,
  program: WasmProgram,
  source: PreCopySource,
  pieces: PieceMemory,
): WasmInstance {
  const target = new PreCopyTarget(program, {}, new RecordingHost());
  for (const round of [source.round(), source.last()])
    for (const piece of round) {
      target.push(piece);
      pieces.give(piece);
    }
  it.dispose();
  return target.finish();
}

it("a guest moved in few pieces of memory is the guest it was", async () => {
  const program = await rewritingProgram(40, 300_000, 60);
  const it = program.instantiate({}, new RecordingHost());
  it.step(undefined, 8_000_000);
  const before = it.snapshot();
  const pieces = new PieceMemory();
  const there = moved(it, program, new PreCopySource(it, await program.tracking(), { pieces }), pieces);
  expect(there.snapshot()).toEqual(before);
});
