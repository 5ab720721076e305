/** Fuel: what it counts, that it does not depend on where a guest is stopped, and that nothing runs without it. */
import { hasErrorCode } from "@glia-os/abi/errors";
import type { StepOutcome } from "@glia-os/abi/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, customSection } from "../src/binary/writer.ts";
import {
  BadLimitError,
  BadResultError,
  createWasmEngine,
  decodeSnapshot,
  encodeSnapshot,
  FuelExhaustedError,
  NotInstrumentedError,
  type Profile,
  SnapshotMismatchError,
  type WasmInstance,
  type WasmProgram,
} from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { encodeProfile, PIPELINE_VERSION, PROFILE_SECTION } from "../src/profile.ts";
import { assemble, RecordingHost, SUMMING, u32 } from "./guest.ts";

const YIELD = `(import "glia.v1" "yield" (func $yield (result i32)))`;
/** A recursion, a loop, indirect calls and a wait in the middle. */
const MIXED = `(module ${YIELD}
  (memory 1 4)
  (type $op (func (param i32) (result i32)))
  (table 2 2 funcref) (elem (i32.const 0) $fib $mix)
  (global $calls (mut i32) (i32.const 0))
  (func $fib (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func $mix (param i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (local.get 0)))
      (i32.store (i32.and (local.get $sum) (i32.const 0xfffc)) (local.get $sum))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (drop (call $yield))
    (local.get $sum))
  (func (export "glia_main") (result i32)
    (i32.xor
      (i32.add (call_indirect (type $op) (i32.const 14) (i32.const 0)) (call_indirect (type $op) (i32.const 3000) (i32.const 1)))
      (global.get $calls))))`;

async function program(text: string, profile: Profile): Promise<WasmProgram> {
  const { bytes } = await instrument(assemble(text), { profile });
  return createWasmEngine().admit(bytes, ["glia.v1"]);
}

/** Step to the end with slices that `slice` gives, answering waits with 0; after each slice `between` may replace the instance. */
function toEnd(
  it: WasmInstance,
  slice: () => number | undefined,
  between: (it: WasmInstance) => WasmInstance = (same) => same,
): { readonly outcome: StepOutcome; readonly fuel: number; readonly yields: number } {
  let now = it;
  let yields = 0;
  let outcome = now.step(undefined, slice());
  while (outcome.kind === "yielded" || outcome.kind === "pending") {
    if (outcome.kind === "yielded") yields += 1;
    const answer = outcome.kind === "pending" ? { value: 0 } : undefined;
    now = between(now);
    outcome = now.step(answer, slice());
  }
  return { outcome, fuel: now.fuelUsed, yields };
}

/** A module made by hand that is metered as admission wants it, and loops when asyncify would be in `state`. */
function looping(state: number): Uint8Array {
  const check = `(global.set $fuel (local.tee $t (i64.sub (global.get $fuel) (i64.const 1))))
    (if (i64.lt_s (local.get $t) (i64.const 0)) (then (unreachable)))`;
  const text = `(module
    (import "glia.fuel" "yield" (func $yield (param i32)))
    (memory (import "glia.v1" "memory") 1 1) (memory (export "glia.stack") 1 1)
    (global $fuel (export "glia.fuel") (mut i64) (i64.const 0))
    (global $state (export "glia.global.1") (mut i32) (i32.const 0)) (export "glia.global.0" (global $fuel))
    (func (export "asyncify_start_unwind") (param i32) (global.set $state (i32.const 1)))
    (func (export "asyncify_stop_unwind") (global.set $state (i32.const 0)))
    (func (export "asyncify_start_rewind") (param i32) (global.set $state (i32.const 2)))
    (func (export "asyncify_stop_rewind") (global.set $state (i32.const 0)))
    (func (export "asyncify_get_state") (result i32) (global.get $state))
    (func (export "glia_main") (result i32) (local $t i64)
      (if (i32.ne (global.get $state) (i32.const 2)) (then (call $yield (i32.const 0))))
      (if (i32.eq (global.get $state) (i32.const ${state})) (then (loop $l ${check} (br $l))))
      (i32.const 0)))`;
  const profile = encodeProfile({
    profile: "preemptive",
    pipeline: PIPELINE_VERSION,
    original: "0".repeat(64),
  });
  return concat([assemble(text), customSection(PROFILE_SECTION, profile)]);
}

const moved =
  (of: WasmProgram) =>
  (it: WasmInstance): WasmInstance => {
    const bytes = Buffer.concat([...encodeSnapshot(it.snapshot(), { compress: false })]);
    it.dispose();
    return of.restore(decodeSnapshot(bytes), {}, new RecordingHost());
  };

const all = (): undefined => undefined;
const forever = `(module (memory 1) (func (export "glia_main") (result i32) (loop $l (br $l)) (unreachable)))`;
const errorOf = (outcome: StepOutcome): unknown => (outcome.kind === "failed" ? outcome.error : undefined);

describe("fuel", () => {
  it("is counted in both metered profiles, for the same result; other profiles count none", async () => {
    const host = (): RecordingHost => new RecordingHost();
    const plain = toEnd((await program(MIXED, "cooperative")).instantiate({}, host()), all);
    const metered = toEnd((await program(MIXED, "metered")).instantiate({}, host()), all);
    const preemptive = toEnd((await program(MIXED, "preemptive")).instantiate({}, host()), all);
    expect(plain.fuel).toBe(0);
    expect(metered.outcome).toEqual(plain.outcome);
    expect(preemptive.outcome).toEqual(plain.outcome);
    expect(metered.fuel).toBeGreaterThan(3000 * 10);
    expect(Math.abs(preemptive.fuel - metered.fuel)).toBeLessThan(metered.fuel / 100);
  });

  it("is exact: any slices, with a move at the end of each, give the same result and total", async () => {
    const of = await program(MIXED, "preemptive");
    const whole = toEnd(of.instantiate({}, new RecordingHost()), all);
    expect(whole.yields).toBe(0);
    const slices = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 8 });
    const hops: number[] = [];
    fc.assert(
      fc.property(slices, (list) => {
        let at = 0;
        // The shortest slices stop at every check: hop at every tenth then, to keep the test quick.
        const hop = moved(of);
        const next = (): number => list[at++ % list.length] as number;
        const cut = toEnd(of.instantiate({}, new RecordingHost()), next, (it) =>
          at % 10 === 0 ? hop(it) : it,
        );
        hops.push(cut.yields);
        expect(cut.outcome).toEqual(whole.outcome);
        expect(cut.fuel).toBe(whole.fuel);
      }),
      { numRuns: 25 },
    );
    expect(Math.max(...hops)).toBeGreaterThan(20);
  });

  it("is counted while a guest waits in the middle of a recursion and is moved", async () => {
    const of = await program(SUMMING, "preemptive");
    const run = (hop: (it: WasmInstance) => WasmInstance): { fuel: number; host: RecordingHost } => {
      const host = new RecordingHost();
      let it = of.instantiate({}, host);
      it.step();
      for (const value of [10, 20, 30]) {
        it.step({ value: 0, payload: u32(value) });
        it = hop(it);
      }
      it.step({ value: 0, payload: u32(40) });
      return { fuel: it.fuelUsed, host };
    };
    expect(run(moved(of)).fuel).toBe(run((it) => it).fuel);
    expect(run((it) => it).host.replies).toHaveLength(1);
  });

  it("is counted in a start function too, which can be moved in the middle", async () => {
    const text = `(module (memory 1) (global $sum (mut i32) (i32.const 0)) (start $begin)
      (func $begin (local $n i32)
        (loop $l (global.set $sum (i32.add (global.get $sum) (local.get $n)))
          (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 500)))))
      (func (export "glia_main") (result i32) (global.get $sum)))`;
    const of = await program(text, "preemptive");
    const whole = toEnd(of.instantiate({}, new RecordingHost()), all);
    const cut = toEnd(of.instantiate({}, new RecordingHost()), () => 700, moved(of));
    expect(whole.outcome).toEqual({ kind: "finished", status: (499 * 500) / 2 });
    expect(cut.outcome).toEqual(whole.outcome);
    expect(cut.fuel).toBe(whole.fuel);
    expect(cut.yields).toBeGreaterThan(5);
  });

  it("is not counted in a loop in dead code, whose branches stay as they were", async () => {
    // (block $value (result i32) (block $out (br $out)
    //   (loop $again (br_if $out (i32.const 1)) (br_if $again (i32.const 0)) (br $value (i32.const 7)))) (i32.const 3))
    // as bytes, because binaryen would leave the loop out.
    const body = "00 027f 0240 0c00 0340 41010d01 41000d00 41070c02 0b 0b 4103 0b 0b".replaceAll(" ", "");
    const sections = [
      "0061736d01000000 0105016000017f 03020100 0503010001 070d0109676c69615f6d61696e0000",
      `0a1d011b${body}`,
    ];
    const bytes = Buffer.from(sections.join("").replaceAll(" ", ""), "hex");
    for (const profile of ["metered", "preemptive"] as const) {
      const of = await createWasmEngine().admit((await instrument(bytes, { profile })).bytes, ["glia.v1"]);
      const { outcome, fuel } = toEnd(of.instantiate({}, new RecordingHost()), all);
      expect(outcome).toEqual({ kind: "finished", status: 3 });
      expect(fuel).toBeLessThan(20);
    }
  });

  it("of one step is refused when it is not a whole number from 1, and nothing changes", async () => {
    const it = (await program(MIXED, "preemptive")).instantiate({}, new RecordingHost());
    for (const fuel of [0, -1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])
      expect(() => it.step(undefined, fuel)).toThrow(BadResultError);
    expect(it.step(undefined, 1).kind).toBe("yielded");
    expect(() => it.step({ value: 0 }, 1)).toThrow(BadResultError);
    expect(it.pending).toBeUndefined();
    expect(it.step(undefined, 1000).kind).toBe("yielded");
  });
});

describe("without fuel", () => {
  it("an endless loop fails alone when metered, and yields for ever when pre-emptive", async () => {
    const metered = (await program(forever, "metered")).instantiate({}, new RecordingHost());
    const outcome = metered.step(undefined, 100_000);
    expect(errorOf(outcome)).toBeInstanceOf(FuelExhaustedError);
    expect(hasErrorCode(errorOf(outcome), "wasm.fuel-exhausted")).toBe(true);
    expect(metered.fuelUsed).toBeGreaterThan(100_000);
    const it = (await program(forever, "preemptive")).instantiate({}, new RecordingHost());
    for (let turn = 1; turn <= 50; turn++) {
      expect(it.step(undefined, 10_000)).toEqual({ kind: "yielded" });
      expect(it.fuelUsed).toBeGreaterThanOrEqual(turn * 10_000);
    }
  });

  it.each([
    [
      "a recursion",
      `(func $f (param i32) (result i32) (call $f (local.get 0)) (drop) (call $f (local.get 0)))`,
    ],
    [
      "a recursion through a table",
      `(type $t (func (param i32) (result i32))) (table 1 1 funcref) (elem (i32.const 0) $f)
       (func $f (param i32) (result i32)
         (if (i32.gt_u (local.get 0) (i32.const 30)) (then (return (i32.const 1))))
         (i32.add (call_indirect (type $t) (i32.add (local.get 0) (i32.const 1)) (i32.const 0))
                  (call_indirect (type $t) (i32.add (local.get 0) (i32.const 1)) (i32.const 0))))`,
    ],
    [
      "calls that double at each of 40 functions, without loop or recursion",
      `${Array.from({ length: 40 }, (_, n) => {
        const next =
          n === 39
            ? "(local.get 0)"
            : `(i32.add (call $f${n + 1} (local.get 0)) (call $f${n + 1} (i32.const ${n})))`;
        return `(func $f${n} (param i32) (result i32) (if (result i32) (i32.eq (local.get 0) (i32.const 77777)) (then (i32.div_u (i32.const 5) (local.get 0))) (else ${next})))`;
      }).join("\n")} (func $f (param i32) (result i32) (call $f0 (local.get 0)))`,
    ],
  ])("%s ends in a slice", async (_, functions) => {
    const text = `(module (memory 1) ${functions} (func (export "glia_main") (result i32) (call $f (i32.const 0))))`;
    const metered = (await program(text, "metered")).instantiate({}, new RecordingHost());
    const outcome = metered.step(undefined, 50_000);
    expect(errorOf(outcome)).toBeInstanceOf(FuelExhaustedError);
    expect(metered.fuelUsed).toBeLessThan(50_000 + 200_000);
    const it = (await program(text, "preemptive")).instantiate({}, new RecordingHost());
    for (let turn = 0; turn < 5; turn++) expect(it.step(undefined, 1000).kind).toBe("yielded");
  });

  it("for its whole life a guest fails in both profiles, also after moves", async () => {
    const metered = (await program(forever, "metered")).instantiate({ fuel: 5000 }, new RecordingHost());
    expect(errorOf(metered.step())).toMatchObject({ details: { which: "life" } });
    const of = await program(forever, "preemptive");
    let it = of.instantiate({ fuel: 5000 }, new RecordingHost());
    expect(it.step(undefined, 3000).kind).toBe("yielded");
    it = of.restore(it.snapshot(), { fuel: 5000 }, new RecordingHost());
    expect(it.fuelUsed).toBeGreaterThanOrEqual(3000);
    const last = it.step(undefined, 3000);
    expect(errorOf(last)).toBeInstanceOf(FuelExhaustedError);
    expect(it.fuelUsed).toBeLessThan(6000);
  });

  it("a guest that loops while its calls are saved or put back is ended, in that step", async () => {
    for (const state of [1, 2]) {
      const of = await createWasmEngine().admit(looping(state), ["glia.v1"]);
      const it = of.instantiate({}, new RecordingHost());
      const first = it.step(undefined, 5);
      const last = first.kind === "yielded" ? it.step(undefined, 5) : first;
      expect(errorOf(last), `state ${state}`).toBeInstanceOf(Error);
      expect(it.fuelUsed).toBeLessThan(100);
    }
  });

  it("frames that are not its own end a guest, not its host", async () => {
    const of = await program(MIXED, "preemptive");
    const it = of.instantiate({}, new RecordingHost());
    expect(it.step(undefined, 1).kind).toBe("yielded");
    const image = it.snapshot();
    const stack = image.sections["stack"] as Uint8Array;
    const forged = { ...image, sections: { ...image.sections, stack: stack.map(() => 0x7f) } };
    expect(of.restore(forged, {}, new RecordingHost()).step(undefined, 1000).kind).toBe("failed");
  });
});

describe("a long memory.fill or memory.copy", () => {
  const pages = 40;
  const guest = (operation: string): string => `(module
    (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
    (memory ${pages} ${pages}) (data (i32.const 100) "some bytes to start with")
    (func (export "glia_main") (result i32) (local $n i32)
      (loop $l (i32.store8 (i32.mul (local.get $n) (i32.const 37)) (local.get $n))
        (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 60000))))
      ${operation}
      (drop (call $reply (i32.const 0) (i32.const 2600000))) (i32.const 0)))`;
  const limits = { messageBytes: 4_000_000 };

  it("yields between its pieces and ends as the one instruction does", async () => {
    const operations = [
      "(memory.fill (i32.const 5) (i32.const 200) (i32.mul (local.get $n) (i32.const 41)))",
      "(memory.copy (i32.const 70001) (i32.const 3) (i32.mul (local.get $n) (i32.const 40)))",
      "(memory.copy (i32.const 3) (i32.const 70001) (i32.mul (local.get $n) (i32.const 40)))",
      "(memory.copy (i32.const 9) (i32.const 8) (i32.mul (local.get $n) (i32.const 42)))",
    ];
    for (const operation of operations) {
      const results = [];
      for (const profile of ["cooperative", "preemptive"] as const) {
        const host = new RecordingHost();
        const it = (await program(guest(operation), profile)).instantiate(limits, host);
        const { yields } = toEnd(it, () => 200_000);
        results.push({ reply: Buffer.from(host.replies[0] ?? []), yields });
      }
      expect(results[1]?.reply.equals(results[0]?.reply as Buffer), operation).toBe(true);
      expect(results[1]?.yields, operation).toBeGreaterThan(8);
    }
  });

  it("that reaches outside writes nothing and traps", async () => {
    const text = `(module ${YIELD} (memory ${pages} ${pages})
      (func $bad (param i32) (memory.fill (i32.const 0) (i32.const 9) (local.get 0)))
      (func (export "glia_main") (result i32) (drop (call $yield)) (call $bad (i32.const -1)) (i32.const 0)))`;
    for (const profile of ["cooperative", "metered"] as const) {
      const it = (await program(text, profile)).instantiate({}, new RecordingHost());
      it.step();
      const memory = new Uint8Array(it.memory.buffer);
      const outcome = it.step({ value: 0 });
      expect(hasErrorCode(errorOf(outcome), "wasm.guest-trapped"), profile).toBe(true);
      expect(memory.every((byte) => byte === 0)).toBe(true);
    }
  });
});

describe("profiles", () => {
  it("none runs to its end in one step and refuses modules that wait", async () => {
    const text = `(module (memory 1 2) (func (export "glia_main") (result i32) (memory.grow (i32.const 5))))`;
    const it = (await program(text, "none")).instantiate({}, new RecordingHost());
    expect(it.step()).toEqual({ kind: "finished", status: -1 });
    await expect(instrument(assemble(MIXED), { profile: "none" })).rejects.toBeInstanceOf(
      NotInstrumentedError,
    );
  });

  it("and bounds that are none are refused by name", async () => {
    const bytes = assemble(MIXED);
    await expect(instrument(bytes, { profile: "fast" as Profile })).rejects.toThrow("no profile fast");
    for (const maximumPages of [0, 1.5, Number.NaN, 65_537])
      await expect(instrument(bytes, { maximumPages })).rejects.toBeInstanceOf(BadLimitError);
  });

  it("an image of one profile is refused by the others", async () => {
    const it = (await program(MIXED, "preemptive")).instantiate({}, new RecordingHost());
    it.step(undefined, 10);
    const image = it.snapshot();
    expect(image.pending).toEqual({ requestId: 1, op: "preempted", args: [] });
    const metered = await program(MIXED, "metered");
    const forged = { ...image, moduleHash: metered.hash };
    expect(() => metered.restore(forged, {}, new RecordingHost())).toThrow(SnapshotMismatchError);
    const disguised = { ...forged, profile: "metered" };
    expect(() => metered.restore(disguised, {}, new RecordingHost())).toThrow(SnapshotMismatchError);
  });

  it("a metered image without its fuel total is refused", async () => {
    const of = await program(MIXED, "preemptive");
    const it = of.instantiate({}, new RecordingHost());
    it.step(undefined, 10);
    const image = it.snapshot();
    const control = image.sections["control"] as Uint8Array;
    for (const bad of [control.subarray(0, 16), control.map((byte, at) => (at > 16 ? 0xff : byte))]) {
      const sections = { ...image.sections, control: bad };
      expect(() => of.restore({ ...image, sections }, {}, new RecordingHost())).toThrow(
        SnapshotMismatchError,
      );
    }
  });
});
