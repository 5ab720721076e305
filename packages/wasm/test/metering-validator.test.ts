/** Admission of metered modules: with any one check taken out or weakened, a module is refused. */
import { describe, expect, it } from "vitest";
import { checkGuest } from "../src/admission.ts";
import { bodyHead } from "../src/binary/body.ts";
import { Instructions } from "../src/binary/instruction.ts";
import { type FunctionType, type ModuleOutline, readOutline } from "../src/binary/outline.ts";
import { concat, customSection, section } from "../src/binary/writer.ts";
import { NotInstrumentedError, type Profile, UnmeteredCodeError } from "../src/index.ts";
import { importedFunctions } from "../src/metering/call-graph.ts";
import { fuelGlobal } from "../src/metering/enforce.ts";
import { type FoundForm, formAt } from "../src/metering/forms.ts";
import { instrument } from "../src/pipeline/index.ts";
import { encodeProfile, PIPELINE_VERSION, PROFILE_SECTION } from "../src/profile.ts";
import { webAssembly } from "../src/web-assembly.ts";
import { assemble, SUMMING } from "./guest.ts";

/** Loops in loops, a recursion of two functions, one through a table, and bulk operations. */
const LOOPS = `(module (memory 4 9)
  (type $op (func (param i32) (result i32)))
  (table 2 2 funcref) (elem (i32.const 0) $even $odd)
  (func $even (param i32) (result i32)
    (if (result i32) (local.get 0) (then (call_indirect (type $op) (i32.sub (local.get 0) (i32.const 1)) (i32.const 1))) (else (i32.const 1))))
  (func $odd (param i32) (result i32)
    (if (result i32) (local.get 0) (then (call $even (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
  (func $grid (param i32) (local $x i32) (local $y i32)
    (loop $rows
      (local.set $x (local.get 0))
      (loop $columns
        (i32.store8 (i32.add (local.get $x) (local.get $y)) (local.get $x))
        (br_if $columns (local.tee $x (i32.sub (local.get $x) (i32.const 1)))))
      (br_if $rows (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get 0)))))
  (func (export "glia_main") (result i32)
    (call $grid (i32.const 30))
    (memory.fill (i32.const 7) (i32.const 1) (i32.load (i32.const 0)))
    (memory.copy (i32.const 9) (i32.const 7) (i32.load (i32.const 4)))
    (call $even (i32.const 20))))`;

interface Sequence {
  readonly kind: FoundForm["kind"];
  readonly start: number;
  readonly end: number;
}

/** Every fuel sequence of a module. */
function sequences(bytes: Uint8Array, outline: ModuleOutline): Sequence[] {
  const fuel = fuelGlobal(outline);
  const found: Sequence[] = [];
  for (const [at, body] of outline.bodies.entries()) {
    const type = outline.functions[importedFunctions(outline) + at] as FunctionType;
    const code = new Instructions(bytes, bodyHead(bytes, body, type).code, body.end);
    let inside = 0;
    while (code.next()) {
      const form = code.start < inside ? undefined : formAt(bytes, code.start, body.end, fuel);
      if (form === undefined) continue;
      inside = form.end;
      found.push({ kind: form.kind, start: code.start, end: form.end });
    }
  }
  return found;
}

/** `bytes` with a range overwritten; it stays a valid module. */
function overwritten(bytes: Uint8Array, start: number, change: (part: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  change(copy.subarray(start));
  return copy;
}

const NOP = 1;
const cases: readonly (readonly [string, string, Profile])[] = [
  ["loops and recursions, metered", LOOPS, "metered"],
  ["loops and recursions, pre-emptive", LOOPS, "preemptive"],
  ["a guest that waits in a recursion, metered", SUMMING, "metered"],
  ["a guest that waits in a recursion, pre-emptive", SUMMING, "preemptive"],
];

describe.each(cases)("%s", (_, text, profile) => {
  const made = (async () => {
    const { bytes } = await instrument(assemble(text), { profile });
    return { bytes, all: sequences(bytes, readOutline(bytes)) };
  })();
  const refused = (bytes: Uint8Array, why: string): void => {
    expect(webAssembly.validate(bytes), `${why}: the edit must leave a valid module`).toBe(true);
    expect(() => checkGuest(bytes), why).toThrow(UnmeteredCodeError);
  };

  it("is admitted as it is", async () => {
    const { bytes, all } = await made;
    expect(checkGuest(bytes).profile.profile).toBe(profile);
    const checks = all.filter(({ kind }) => kind.endsWith("check")).length;
    console.log(`${profile}: ${all.length} sequences, ${checks} checks, ${bytes.length} bytes`);
    expect(checks).toBeGreaterThan(0);
  });

  it("is refused with any one check or bound taken out", async () => {
    const { bytes, all } = await made;
    for (const { kind, start, end } of all) {
      if (kind.endsWith("charge")) continue;
      const without = overwritten(bytes, start, (part) => {
        // A bound leaves the length where it was: what is kept is `local.tee`.
        const from = kind === "bulk" ? 2 : 0;
        part.fill(NOP, from, end - start);
      });
      refused(without, `${kind} at ${start}`);
    }
  });

  it("is refused with any one check or bound made harmless", async () => {
    const { bytes, all } = await made;
    for (const { kind, start, end } of all) {
      const at = (index: number, byte: number): Uint8Array =>
        overwritten(bytes, start, (part) => part.fill(byte, index, index + 1));
      const trap = end - start - 2;
      if (kind.endsWith("check")) refused(at(trap, NOP), `check at ${start}: the trap is gone`);
      if (kind.endsWith("check")) refused(at(trap - 4, 2), `check at ${start}: compares otherwise`);
      if (kind === "bulk")
        refused(at(bytes.subarray(start, end).indexOf(0x40) + 1, NOP), `bound at ${start}`);
    }
  });

  it("is refused with any one sequence that gives fuel back", async () => {
    const { bytes, all } = await made;
    for (const { kind, start, end } of all) {
      if (kind === "load") continue;
      const given = overwritten(bytes, start, (part) => {
        const subtraction = part.subarray(0, end - start).lastIndexOf(0x7d);
        part[subtraction] = 0x7c;
      });
      refused(given, `${kind} at ${start}`);
    }
  });
});

describe("a metered module", () => {
  it("that writes the counter itself is refused", async () => {
    const { bytes } = await instrument(assemble(LOOPS), { profile: "metered" });
    const outline = readOutline(bytes);
    const [body] = outline.bodies;
    if (body === undefined) throw new TypeError("no code");
    const { code } = bodyHead(bytes, body, outline.functions[importedFunctions(outline)] as FunctionType);
    const code10 = outline.sections.find(({ id }) => id === 10);
    if (code10 === undefined) throw new TypeError("no code section");
    const gift = [0x42, 0xff, 0xff, 0x03, 0x24, fuelGlobal(outline)];
    // Size the body by hand: its length is the LEB128 before it, here written anew in five bytes.
    const size = body.end - body.start + gift.length;
    const leb = [0, 7, 14, 21].map((shift) => ((size >> shift) & 0x7f) | 0x80).concat([0]);
    const content = concat([
      Uint8Array.from([outline.bodies.length]),
      Uint8Array.from(leb),
      bytes.subarray(body.start, code),
      Uint8Array.from(gift),
      bytes.subarray(code, code10.end),
    ]);
    const forged = concat([
      bytes.subarray(0, code10.start),
      section(10, content),
      bytes.subarray(code10.end),
    ]);
    expect(webAssembly.validate(forged)).toBe(true);
    expect(() => checkGuest(forged)).toThrow(UnmeteredCodeError);
  });

  it("without a counter, or with one of another type, is refused", async () => {
    const { bytes } = await instrument(assemble(LOOPS), { profile: "metered" });
    const text = Buffer.from(bytes).toString("latin1").replace("glia.fuel", "glia.fool");
    expect(() => checkGuest(Uint8Array.from(Buffer.from(text, "latin1")))).toThrow(NotInstrumentedError);
  });
});

describe("a loop that counts in a local", () => {
  const load = "(local.set $t (global.get $fuel))";
  const charge = "(global.set $fuel (local.tee $t (i64.sub (local.get $t) (i64.const 3))))";
  const check = `${charge} (if (i64.lt_s (local.get $t) (i64.const 0)) (then (unreachable)))`;
  const turn = "(br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))";
  const forged = (main: string): Uint8Array => {
    const text = `(module
      (import "glia.v1" "now" (func $now (result i64)))
      (memory (import "glia.v1" "memory") 1 1) (memory (export "glia.stack") 1 1)
      (global $fuel (export "glia.fuel") (mut i64) (i64.const 0)) (export "glia.global.0" (global $fuel))
      (type $void (func)) (table 1 1 funcref) (elem (i32.const 0) $quiet)
      ${["start_unwind", "start_rewind"].map((name) => `(func (export "asyncify_${name}") (param i32))`).join("")}
      ${["stop_unwind", "stop_rewind"].map((name) => `(func (export "asyncify_${name}"))`).join("")}
      (func (export "asyncify_get_state") (result i32) (i32.const 0))
      (func $quiet (type $void)) (func $calls (call $quiet))
      (func $counts (global.set $fuel (i64.sub (global.get $fuel) (i64.const 3))))
      (func (export "glia_main") (result i32) (local $t i64) (local $u i64) (local $n i32)
        (local.set $n (i32.const 5)) ${main} (i32.const 0)))`;
    const profile = encodeProfile({
      profile: "metered",
      pipeline: PIPELINE_VERSION,
      original: "0".repeat(64),
    });
    return concat([assemble(text), customSection(PROFILE_SECTION, profile)]);
  };
  const admitted = (main: string): void => void checkGuest(forged(main));

  it("is admitted when it does as the pipeline's do", () => {
    admitted(`${load} (loop $l ${check} (nop) ${charge} (call $calls) ${turn})`);
    admitted(`(block $out ${load} (loop $l ${check} (br_if $out (local.get $n)) ${turn}))`);
    admitted(`${load} (loop $l ${check} ${turn}) (call $counts) ${load} (loop $l ${check} ${turn})`);
  });

  it.each([
    ["without the load right before it", `${load} (nop) (loop $l ${check} ${turn})`],
    ["after a load into another local", `(local.set $u (global.get $fuel)) (loop $l ${check} ${turn})`],
    ["and its body sets the local", `${load} (loop $l ${check} (local.set $t (i64.const 99)) ${turn})`],
    ["and its body loads again", `${load} (loop $l ${check} ${load} ${turn})`],
    ["and its body calls what counts", `${load} (loop $l ${check} (call $counts) ${turn})`],
    ["and its body calls the host", `${load} (loop $l ${check} (drop (call $now)) ${turn})`],
    [
      "and its body calls through a table",
      `${load} (loop $l ${check} (call_indirect (type $void) (i32.const 0)) ${turn})`,
    ],
    [
      "and its body counts in the global",
      `${load} (loop $l ${check} (global.set $fuel (i64.sub (global.get $fuel) (i64.const 3))) ${turn})`,
    ],
    [
      "and has a loop of the other kind in it",
      `${load} (loop $l ${check} (loop $m (global.set $fuel (local.tee $u (i64.sub (global.get $fuel) (i64.const 3)))) (if (i64.lt_s (local.get $u) (i64.const 0)) (then (unreachable)))) ${turn})`,
    ],
    ["and the local is written back after it", `${load} (loop $l ${check} ${turn}) (call $counts) ${charge}`],
    ["that is in another such loop", `${load} (loop $k ${check} ${load} (loop $l ${check} ${turn}))`],
  ])("is refused %s", (_, main) => {
    expect(() => admitted(main)).toThrow(UnmeteredCodeError);
  });
});
