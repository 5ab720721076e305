import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { localWasmEngine } from "../src/wasm/engine.ts";
import {
  detectWasmFeatures,
  invalidateWasmFeatures,
  probeWasmFeatures,
  WASM_FEATURES,
  type WasmEngine,
  type WasmFeature,
  type WasmFeatures,
} from "../src/wasm-features.ts";

const NAMES = Object.keys(WASM_FEATURES) as WasmFeature[];
const entry = new URL("../src/wasm-features.ts", import.meta.url).href;

const PROGRAM = `const { probeWasmFeatures } = await import(${JSON.stringify(entry)});
  process.stdout.write(JSON.stringify(await probeWasmFeatures()));`;

/** What a program that prints features prints, in a fresh process with these flags of V8. */
function runProgram(program: string, ...flags: readonly string[]): WasmFeatures {
  const args = ["--conditions=@glia-os/source", ...flags, "--input-type=module", "--eval", program];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as WasmFeatures;
}

/** What a fresh process with these flags of V8 reports. */
const probeWith = (...flags: readonly string[]): WasmFeatures => runProgram(PROGRAM, ...flags);

/** The local engine, except that the bytes of every module are changed before they are compiled. */
function engineThatReads(change: (bytes: Uint8Array) => Uint8Array, refused: unknown[] = []): WasmEngine {
  const local = localWasmEngine()!;
  const Module = class {
    constructor(bytes: Uint8Array) {
      try {
        // biome-ignore lint/correctness/noConstructorReturn: stands in for the engine's own class
        return new local.Module(change(bytes));
      } catch (error) {
        refused.push(error);
        throw error;
      }
    }
  } as unknown as WasmEngine["Module"];
  const { Instance, Memory, Global, Suspending, promising } = local;
  return { Module, Instance, Memory, Global, Suspending: Suspending!, promising: promising! };
}

/** Replace one sequence of bytes by another of the same length, wherever it occurs. */
function replacing(from: readonly number[], to: readonly number[]): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    const copy = bytes.slice();
    for (let at = 0; at + from.length <= copy.length; at += 1) {
      if (from.every((byte, offset) => copy[at + offset] === byte)) copy.set(to, at);
    }
    return copy;
  };
}

describe("probing", () => {
  it("Node 24 and newer have every feature that does not depend on the processor", async () => {
    const { relaxedDotExact, relaxedMaddFused, ...rest } = await probeWasmFeatures();
    expect(Object.entries(rest).filter(([, works]) => !works)).toEqual([]);
    expect(Object.keys(rest)).toHaveLength(NAMES.length - 2);
    expect([typeof relaxedDotExact, typeof relaxedMaddFused]).toEqual(["boolean", "boolean"]);
  });

  it("without an engine nothing works and nothing throws (W2)", async () => {
    expect(Object.values(await probeWasmFeatures(null))).toEqual(NAMES.map(() => false));
  });

  it("a process whose global WebAssembly is gone, as under --jitless, has no feature", () => {
    const program = `await import(${JSON.stringify(entry)}); delete globalThis.WebAssembly; ${PROGRAM}`;
    expect(Object.values(runProgram(program))).toEqual(NAMES.map(() => false));
  });

  it("an engine that refuses every module, or gives empty exports, has no feature (W2)", async () => {
    const refusing = engineThatReads(() => new Uint8Array([0]));
    expect(Object.values(await probeWasmFeatures(refusing))).toEqual(NAMES.map(() => false));
    const empty = engineThatReads(() => new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    expect(Object.values(await probeWasmFeatures(empty))).toEqual(NAMES.map(() => false));
  });

  it("detectWasmFeatures probes once, and anew after invalidateWasmFeatures", async () => {
    const first = await detectWasmFeatures();
    expect(await detectWasmFeatures()).toBe(first);
    invalidateWasmFeatures();
    expect(await detectWasmFeatures()).not.toBe(first);
  });
});

describe("features are found by result, not by name (W1)", () => {
  // i16x8.relaxed_dot -> i16x8.mul; i32x4.relaxed_dot_add -> v128.bitselect (0x52, padded to the length of
  // the original).
  it.each([
    ["the two-lane", [0xfd, 0x92, 0x02], [0xfd, 0x95, 0x01]],
    ["the accumulating", [0xfd, 0x93, 0x02], [0xfd, 0xd2, 0x00]],
  ])("an engine where %s int8 dot product computes something else is not exact", async (_, from, to) => {
    const refused: unknown[] = [];
    const wrong = await probeWasmFeatures(engineThatReads(replacing(from, to), refused));
    expect(wrong.relaxedSimd).toBe(true);
    expect(wrong.relaxedDotExact).toBe(false);
    expect(refused, "the changed module compiles").toEqual([]);
  });

  const answer42 = [
    [0x41, 0x2a],
    [0x41, 0x2b],
  ] as const;
  it.each([
    ["bigInt", [0x42, 0x01, 0x7c], [0x42, 0x01, 0x7d]],
    ["multiValue", ...answer42],
    ["signExtension", [0x80, 0x01, 0xc0], [0x80, 0x01, 0xc1]],
    ["saturatingFloatToInt", [0xfc, 0x00], [0xfc, 0x01]],
    ["mutableGlobals", [0x6a, 0x24, 0x00], [0x6b, 0x24, 0x00]],
    ["bulkMemory", [0x41, 0xab, 0x01], [0x41, 0xac, 0x01]],
    ["referenceTypes", [0x20, 0x00, 0x0b], [0xd0, 0x6f, 0x0b]],
    ["extendedConst", [0x41, 0x02, 0x6a], [0x41, 0x02, 0x6b]],
    ["threads", [0xfe, 0x1e], [0xfe, 0x25]],
    ["multiMemory", ...answer42],
    ["memory64", ...answer42],
    ["tailCalls", [0x6a, 0x12, 0x00], [0x6b, 0x12, 0x00]],
    ["exceptions", ...answer42],
    ["legacyExceptions", ...answer42],
    ["gc", ...answer42],
    ["jspi", [0x41, 0x01, 0x6a], [0x41, 0x01, 0x6b]],
  ] as const)(
    "an engine that takes the module for %s and computes something else does not have it",
    async (feature, from, to) => {
      const refused: unknown[] = [];
      const wrong = await probeWasmFeatures(engineThatReads(replacing(from, to), refused));
      expect(wrong[feature]).toBe(false);
      expect(refused, "the changed modules compile").toEqual([]);
    },
  );

  it("an engine that multiplies and adds in two roundings is not fused", async () => {
    // f32x4.relaxed_madd -> f32x4.relaxed_nmadd: compiles, another result.
    const wrong = await probeWasmFeatures(engineThatReads(replacing([0xfd, 0x85, 0x02], [0xfd, 0x86, 0x02])));
    expect(wrong.relaxedMaddFused).toBe(false);
  });

  it("an engine that multiplies wrongly has no usable vectors", async () => {
    // i32x4.mul -> i32x4.sub
    const wrong = await probeWasmFeatures(engineThatReads(replacing([0xfd, 0xb5, 0x01], [0xfd, 0xb1, 0x01])));
    expect(wrong.simd128).toBe(false);
    expect(wrong.relaxedSimd).toBe(true);
  });

  it("an engine without suspension has no jspi", async () => {
    const { Suspending, promising, ...rest } = engineThatReads((bytes) => bytes);
    expect(Suspending).toBeDefined();
    expect(promising).toBeDefined();
    expect((await probeWasmFeatures(rest)).jspi).toBe(false);
  });

  it.runIf(process.arch === "x64")(
    "needs x86_64: a processor without SSE4.1 has no WebAssembly vectors",
    () => {
      const { simd128, relaxedSimd, relaxedDotExact, bulkMemory } = probeWith("--no-enable-sse4-1");
      expect({ simd128, relaxedSimd, relaxedDotExact, bulkMemory }).toEqual({
        simd128: false,
        relaxedSimd: false,
        relaxedDotExact: false,
        bulkMemory: true,
      });
    },
  );

  it.runIf(process.arch === "x64")("needs x86_64: a processor without FMA does not fuse", () => {
    expect(probeWith("--no-enable-fma3", "--no-enable-avx").relaxedMaddFused).toBe(false);
  });

  it.each(["--liftoff-only", "--no-liftoff"])(
    "the engine's compilers agree: %s finds the same features",
    async (flag) => {
      expect(probeWith(flag)).toEqual(await probeWasmFeatures());
    },
  );
});
