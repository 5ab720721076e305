/** Two copies of code: which functions have them, and that a frame of one is a frame of the other. */
import { expect, it } from "vitest";
import { readOutline } from "../src/binary/outline.ts";
import { createWasmEngine, type WasmInstance, type WasmProgram } from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { assemble, RecordingHost } from "./guest.ts";
import { randomFrom } from "./random-module.ts";

/** Loops around calls, a recursion, and calls through a table: after each stop some frames go on in the second copy. */
const NESTED = `(module (memory 1)
  (type $op (func (param i32) (result i32)))
  (table 2 2 funcref) (elem (i32.const 0) $down $round)
  (global $sum (mut i32) (i32.const 1))
  (func $down (param i32) (result i32)
    (global.set $sum (i32.add (i32.mul (global.get $sum) (i32.const 33)) (local.get 0)))
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (call $down (i32.sub (local.get 0) (i32.const 2)))))))
  (func $round (param i32) (result i32) (local $kept i32)
    (loop $l
      (local.set $kept (i32.xor (local.get $kept) (call $down (i32.and (local.get 0) (i32.const 7)))))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $kept))
  (func (export "glia_main") (result i32) (local $n i32)
    (loop $l
      (drop (call_indirect (type $op) (i32.const 9) (i32.and (local.get $n) (i32.const 1))))
      (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 40))))
    (global.get $sum)))`;

async function program(): Promise<WasmProgram> {
  return createWasmEngine().admit((await instrument(assemble(NESTED), { profile: "preemptive" })).bytes, []);
}

/** Runs to the end in slices; every fresh body also has state of its own that is not in the image. */
function run(of: WasmProgram, slice: () => number | undefined, move: () => boolean) {
  let it: WasmInstance = of.instantiate({}, new RecordingHost());
  let stops = 0;
  let outcome = it.step(undefined, slice());
  for (; outcome.kind === "yielded"; stops++) {
    if (move()) {
      const image = it.snapshot();
      it.dispose();
      it = of.restore(image, {}, new RecordingHost());
    }
    outcome = it.step(undefined, slice());
  }
  return { outcome, fuel: it.fuelUsed, stops };
}

it("stopped at every check or at none, with or without a move, the count and the result are the same", async () => {
  const of = await program();
  const whole = run(
    of,
    () => undefined,
    () => false,
  );
  expect(whole.outcome.kind).toBe("finished");
  for (const seed of [Date.now() % 2 ** 31, 5]) {
    const below = randomFrom(seed);
    for (const most of [1, 40, 4000]) {
      const cut = run(
        of,
        () => 1 + below(most),
        () => below(4) === 0,
      );
      expect({ ...cut, stops: 0 }, `seed ${seed}, slices to ${most}`).toEqual({ ...whole, stops: 0 });
      expect(cut.stops).toBeGreaterThan(20);
    }
  }
});

it("a function that can be suspended has two copies, unless it is long", async () => {
  const body = (statements: number): string => `(module (memory 1)
    (func $work (param i32) (result i32) (local $x i32)
      ${"(local.set $x (i32.mul (i32.add (local.get $x) (call $work (local.get $x))) (i32.const 31)))".repeat(statements)}
      (local.get $x))
    (func (export "glia_main") (result i32) (call $work (i32.const 1))))`;
  const size = async (statements: number): Promise<number> => {
    const { bytes } = await instrument(assemble(body(statements)), { profile: "preemptive" });
    return Math.max(...readOutline(bytes).bodies.map(({ start, end }) => end - start)) / statements;
  };
  // Bytes per statement: about half again as many in two copies.
  expect(await size(100)).toBeGreaterThan(1.3 * (await size(700)));
});
