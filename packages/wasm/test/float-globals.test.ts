/** Float globals keep their bits, in the guest and across a move. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeSnapshot, encodeSnapshot } from "../src/index.ts";
import { admit, RecordingHost } from "./guest.ts";

const hex = (bits: bigint, digits: number): string => `0x${bits.toString(16).padStart(digits, "0")}`;

it("a float in a global comes out of a move with every bit, NaN or not", async () => {
  const seeds = fc.sample(fc.tuple(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 32n - 1n)), 8);
  const known: [bigint, bigint][] = [
    [0x7ff8_dead_0000_beefn, 0x7fc0_beefn],
    [0xfff0_0000_0000_0001n, 0xff80_0001n],
    [0x8000_0000_0000_0000n, 0x8000_0000n],
    [0n, 0n],
  ];
  for (const [wide, narrow] of [...known, ...seeds]) {
    const text = `(module
      (import "glia.v1" "yield" (func $yield (result i32))) (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
      (memory 1) (global $start (mut f64) (f64.const -1.5)) (global $other (mut f32) (f32.const nan:0x200001))
      (global $wide (mut f64) (f64.const 0.1)) (global $narrow (mut f32) (f32.const 3)) (global $fixed f64 (f64.const 2))
      (func (export "glia_main") (result i32)
        (global.set $wide (f64.reinterpret_i64 (i64.const ${hex(wide, 16)})))
        (global.set $narrow (f32.reinterpret_i32 (i32.const ${hex(narrow, 8)})))
        (drop (call $yield))
        (i64.store (i32.const 0) (i64.reinterpret_f64 (global.get $wide)))
        (i32.store (i32.const 8) (i32.reinterpret_f32 (global.get $narrow)))
        (f64.store (i32.const 16) (f64.mul (global.get $start) (global.get $fixed)))
        (f32.store (i32.const 12) (global.get $other))
        (call $reply (i32.const 0) (i32.const 24))))`;
    const program = await admit(text);
    const host = new RecordingHost();
    const it = program.instantiate({}, host);
    it.step();
    const there = program.restore(
      decodeSnapshot(Buffer.concat([...encodeSnapshot(it.snapshot())])),
      {},
      host,
    );
    expect(there.step({ value: 0 })).toEqual({ kind: "finished", status: 0 });
    const view = new DataView((host.replies[0] as Uint8Array).buffer);
    expect(hex(view.getBigUint64(0, true), 16)).toBe(hex(wide, 16));
    expect(hex(BigInt(view.getUint32(8, true)), 8)).toBe(hex(narrow, 8));
    expect(view.getUint32(12, true)).toBe(0x7fa0_0001);
    expect(view.getFloat64(16, true)).toBe(-3);
  }
});
