/** Presence checks: modules that ask for a page before they touch it (CP1 to CP6 of check-accesses.ts, SF1 and SF2 of shared-form.ts). */
import { describe, expect, it } from "vitest";
import { createWasmEngine, NotInstrumentedError, UnsupportedFeatureError } from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { connectCalls } from "../src/presence/callbacks.ts";
import { checkAccesses } from "../src/presence/check-accesses.ts";
import { sharedForm } from "../src/presence/shared-form.ts";
import { type FunctionTable, type LinearMemory, webAssembly } from "../src/web-assembly.ts";
import { admit, assemble, guest, SUMMING } from "./guest.ts";

const PAGES = 3;
const module = (body: string): Uint8Array =>
  assemble(`(module
    (import "glia.v1" "memory" (memory ${PAGES} 5))
    (data $text "some text that is longer than nothing")
    (data (i32.const 8192) "written by instantiation")
    (func (export "run") ${body}))`);

/** What the body asks for while every page is missing, and memory afterwards. */
function asked(body: string): {
  readonly calls: readonly number[][];
  readonly memory: Uint8Array;
  run(): void;
} {
  const memory = new webAssembly.Memory({ initial: PAGES, maximum: 5, shared: true });
  const checked = new webAssembly.Module(checkAccesses(module(body)));
  const { exports } = new webAssembly.Instance(checked, { "glia.v1": { memory } });
  const calls: number[][] = [];
  connectCalls(exports["glia.presence"] as FunctionTable, {
    one: (address) => calls.push([address]),
    range: (start, length) => calls.push([start, length]),
  });
  new Uint8Array((exports["glia.absent"] as LinearMemory).buffer).fill(1, 0, PAGES * 16);
  return { calls, memory: new Uint8Array(memory.buffer), run: exports["run"] as () => void };
}

const V = "(v128.const i64x2 1 2)";

describe("a module with presence checks asks for", () => {
  it.each([
    ...["i32.load", "i64.load", "f32.load", "f64.load", "i32.load8_s", "i32.load8_u", "i32.load16_s"],
    ...["i32.load16_u", "i64.load8_s", "i64.load8_u", "i64.load16_s", "i64.load16_u", "i64.load32_s"],
    ...["i64.load32_u", "v128.load", "v128.load8x8_s", "v128.load8x8_u", "v128.load16x4_s"],
    ...["v128.load16x4_u", "v128.load32x2_s", "v128.load32x2_u", "v128.load8_splat", "v128.load16_splat"],
    ...["v128.load32_splat", "v128.load64_splat", "v128.load32_zero", "v128.load64_zero"],
  ])("the page of a %s", (load) => {
    const { calls, run } = asked(`(drop (${load} offset=5000 (i32.const 4090)))`);
    run();
    expect(calls).toEqual([[9090]]);
  });

  it.each([
    ["(i32.store offset=4 (i32.const 4092) (i32.const 1))", 4096],
    ["(i64.store (i32.const 4089) (i64.const 1))", 4089],
    ["(f32.store (i32.const 0) (f32.const 1))", 0],
    ["(f64.store (i32.const 8) (f64.const 1))", 8],
    ["(i32.store8 (i32.const 4095) (i32.const 1))", 4095],
    ["(i32.store16 (i32.const 4095) (i32.const 1))", 4095],
    ["(i64.store8 (i32.const 1) (i64.const 1))", 1],
    ["(i64.store16 (i32.const 2) (i64.const 1))", 2],
    ["(i64.store32 (i32.const 3) (i64.const 1))", 3],
    [`(v128.store (i32.const 4081) ${V})`, 4081],
    [`(v128.store8_lane 0 (i32.const 10) ${V})`, 10],
    [`(v128.store16_lane 0 (i32.const 11) ${V})`, 11],
    [`(v128.store32_lane 0 (i32.const 12) ${V})`, 12],
    [`(v128.store64_lane 1 (i32.const 13) ${V})`, 13],
    [`(drop (v128.load8_lane 0 (i32.const 14) ${V}))`, 14],
    [`(drop (v128.load16_lane 0 (i32.const 15) ${V}))`, 15],
    [`(drop (v128.load32_lane 0 (i32.const 16) ${V}))`, 16],
    [`(drop (v128.load64_lane 0 (i32.const 17) ${V}))`, 17],
  ] as const)("the page of %s", (body, address) => {
    const { calls, run } = asked(body);
    run();
    expect(calls).toEqual([[address]]);
  });

  it.each([
    ["(memory.fill (i32.const 4095) (i32.const 7) (i32.const 4098))", [[4095, 4098]]],
    [
      "(memory.copy (i32.const 20480) (i32.const 1) (i32.const 4097))",
      [
        [20_480, 4097],
        [1, 4097],
      ],
    ],
    ["(memory.init $text (i32.const 4090) (i32.const 0) (i32.const 10))", [[4090, 10]]],
    ["(drop (memory.size)) (drop (memory.grow (i32.const 1)))", []],
  ])("the ranges of %s", (body, ranges) => {
    const { calls, run } = asked(body);
    run();
    expect(calls).toEqual(ranges);
  });

  it("nothing while the flags are clear, and stores what the module would (CP1)", () => {
    const { calls, memory, run } = asked(
      `(local $l i32) (loop $again (i32.store (local.get $l) (i32.const 255))
         (br_if $again (i32.lt_u (local.tee $l (i32.add (local.get $l) (i32.const 4))) (i32.const 8192))))`,
    );
    run();
    expect(calls.length).toBe(2048);
    expect(memory.subarray(0, 8192).every((byte, at) => byte === (at % 4 === 0 ? 255 : 0))).toBe(true);
  });

  it.each([
    "(drop (i32.load (i32.const 196608)))",
    "(i32.store offset=4294967295 (i32.const 4294967295) (i32.const 1))",
    "(drop (i64.load (i32.const 196601)))",
    "(memory.fill (i32.const 196600) (i32.const 1) (i32.const 9))",
  ])("and traps where the module would: %s (CP4)", (body) => {
    const { run } = asked(body);
    expect(run).toThrow(webAssembly.RuntimeError);
  });
});

describe("the forms of a module for shared memory", () => {
  it("write nothing when they are instantiated (SF2)", () => {
    for (const bytes of [sharedForm(module("")), checkAccesses(module(""))]) {
      const memory = new webAssembly.Memory({ initial: PAGES, maximum: 5, shared: true });
      new webAssembly.Instance(new webAssembly.Module(bytes), { "glia.v1": { memory } });
      expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
    }
  });

  it("are the same bytes every time, and admission takes neither, nor one with a check taken out (PV1, CP6)", async () => {
    const plain = await guest(SUMMING);
    const checked = checkAccesses(plain);
    expect(checked).toEqual(checkAccesses(plain));
    const unchecked = without(checked);
    expect(webAssembly.validate(unchecked)).toBe(true);
    for (const bytes of [sharedForm(plain), checked, unchecked])
      await expect(createWasmEngine().admit(bytes, ["glia.v1"])).rejects.toThrow(UnsupportedFeatureError);
  });

  it("are valid for the largest memory there is, and refused for the profile none and for taken names", async () => {
    const text = `(module (memory 3 65536) (func (export "glia_main") (result i32) (i32.load (i32.const 4))))`;
    const wide = await instrument(assemble(text), { maximumPages: 65_536 });
    expect(webAssembly.validate(checkAccesses(wide.bytes))).toBe(true);
    const { bytes } = await instrument(assemble(text), { profile: "none" });
    const none = await createWasmEngine().admit(bytes, []);
    await expect(none.presence()).rejects.toThrow(NotInstrumentedError);
    for (const name of ["glia.absent", "glia.presence"]) {
      const named = await admit(text.replace("(memory 3 65536)", `(memory (export "${name}") 1)`));
      await expect(named.presence()).rejects.toThrow(UnsupportedFeatureError);
    }
  });
});

/** The module with its first flag read as clear: the atomic load and what is under it become a constant. */
function without(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  for (let at = 0; at + 7 < copy.length; at++) {
    // i32.shr_u, i32.atomic.load8_u with a memory index and offset 0, if: dropped and 0 instead, padded to the same length.
    if (copy[at] !== 0x76 || copy[at + 1] !== 0xfe || copy[at + 2] !== 0x12 || copy[at + 6] !== 0x04)
      continue;
    copy.set([0x1a, 0x1a, 0x41, 0x00, 0x01, 0x01], at);
    return copy;
  }
  throw new TypeError("there is no check");
}
