/** Guests that wake in memory that others left (WK1, WK2 of wake.ts; B1 of body.ts). */
import { isGliaError } from "@glia-os/abi/errors";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type Checkpoint,
  checkpointOf,
  encodeIncrement,
  type WasmInstance,
  type WasmProgram,
} from "../src/index.ts";
import { admit, RecordingHost, SUMMING, u32 } from "./guest.ts";

const ANSWERS = 3;
let program: WasmProgram;
let base: Checkpoint;

function given(values: readonly number[]): WasmInstance {
  const guest = program.instantiate({}, new RecordingHost());
  guest.step();
  for (const value of values) guest.step({ value: 4, payload: u32(value) });
  return guest;
}

beforeAll(async () => {
  program = await admit(SUMMING);
  base = checkpointOf(given([]).snapshot());
});

const values = fc.array(fc.nat({ max: 1_000_000 }), { maxLength: ANSWERS });

describe("a guest that wakes from an increment", () => {
  it("is the one a restore gives, byte for byte, whatever the memory held that it wakes in (WK1)", () => {
    fc.assert(
      fc.property(values, values, fc.boolean(), (before, after, used) => {
        const image = given(before).snapshot();
        const { bytes } = encodeIncrement(base, image);
        if (used) given(after).dispose();
        const woken = program.wake(base, bytes, {}, new RecordingHost());
        expect(woken.snapshot()).toEqual(image);
        const restored = program.restore(image, {}, new RecordingHost());
        const next = { value: 4, payload: u32(9) };
        expect(woken.step(next)).toEqual(restored.step(next));
        woken.dispose();
        restored.dispose();
      }),
    );
  });

  it("does not run when a byte was changed, and the next guest finds nothing of it (WK2)", () => {
    const { bytes } = encodeIncrement(base, given([1, 2]).snapshot());
    const fresh = given([]).snapshot();
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] as number) ^ 0x20;
      expect(() => program.wake(base, flipped, {}, new RecordingHost()), `byte ${at}`).toThrowError(
        expect.toSatisfy((error: unknown) => isGliaError(error)),
      );
    }
    const next = given([]);
    expect(next.snapshot()).toEqual(fresh);
    next.dispose();
  });

  it("is refused for another base, another program and too little memory", async () => {
    const image = given([4]).snapshot();
    const { bytes } = encodeIncrement(base, image);
    const other = checkpointOf(image);
    const host = new RecordingHost();
    expect(() => program.wake(other, bytes, {}, host)).toThrow(/the base/);
    const stranger = await admit(SUMMING.replace("(i32.const 7)))", "(i32.const 8)))"));
    expect(() => stranger.wake(base, bytes, {}, host)).toThrow(/the module/);
    expect(() => program.wake(base, bytes, {}, host, { imageBytes: 100 })).toThrow(/the limit/);
  });
});

describe("a memory that is used again", () => {
  it("holds what a new one holds, byte for byte, whatever its guest did (B1)", async () => {
    const text = `(module (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
      (memory 3) (data (i32.const 70000) "golden") (global $g (mut i64) (i64.const 7))
      (func (export "glia_main") (result i32)
        (loop $l
          (drop (call $receive (i32.const 16) (i32.const 8)))
          (global.set $g (i64.add (global.get $g) (i64.load (i32.const 16))))
          (i64.store (i32.and (i32.load (i32.const 16)) (i32.const 0x2ffe8)) (global.get $g))
          (br $l))
        (i32.const 0)))`;
    const writing = await admit(text);
    const host = new RecordingHost();
    const first = writing.instantiate({}, host);
    first.step();
    const fresh = first.snapshot();
    first.dispose();
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 62n }), { maxLength: 30 }), (writes) => {
        const guest = writing.instantiate({}, host);
        guest.step();
        expect(guest.snapshot()).toEqual(fresh);
        for (const value of writes)
          guest.step({ value: 8, payload: new Uint8Array(BigInt64Array.of(value).buffer) });
        guest.dispose();
      }),
    );
  });
});
