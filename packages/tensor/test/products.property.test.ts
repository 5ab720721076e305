/** Products over the edges of blocks and tiles, against sums made one by one; products of bytes as every kind of processor makes them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { currentKernels } from "../scripts/kernels.ts";
import { wasmBackend } from "../src/backends.ts";
import { instantiateKernels } from "../src/wasm/kernel-exports.ts";
import { kernelModule } from "../src/wasm/kernel-file.ts";
import { WORK_AT } from "../src/wasm/wasm-backend.ts";
import { WasmMemory } from "../src/wasm/wasm-memory.ts";

await currentKernels();

const RUNS = process.env["GLIA_SOAK"] === "1" ? 2000 : 12;
const plain = wasmBackend("simd", 64 << 20);
const relaxed = wasmBackend("relaxed", 64 << 20);

/** Lengths around the edges of tiles (6 x 8) and blocks (96 rows, 512 columns, 256 deep; 1024 deep for bytes). */
const rows = fc.constantFrom(1, 2, 3, 5, 6, 7, 95, 96, 97, 193);
const columns = fc.constantFrom(1, 7, 8, 9, 31, 33, 511, 513);
const depth = fc.constantFrom(1, 3, 4, 255, 256, 257, 513);
const bytesDepth = fc.constantFrom(1, 2, 3, 5, 1023, 1024, 1025, 2049);
const shape = fc.record({ m: rows, n: columns, k: depth, aFlip: fc.boolean(), bFlip: fc.boolean() });

/** Over the edges of all blocks at once; always tried. */
const DEEP: Shape = { m: 97, n: 513, k: 513, aFlip: true, bFlip: false };

interface Shape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly aFlip: boolean;
  readonly bFlip: boolean;
}

/** Strides of A and B. */
function strides({ m, n, k, aFlip, bFlip }: Shape): readonly [number, number, number, number] {
  return [
    ...(aFlip ? ([1, m] as const) : ([k, 1] as const)),
    ...(bFlip ? ([1, k] as const) : ([n, 1] as const)),
  ];
}

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
}

/** A few places of the result, the corners among them. */
function places({ m, n }: Shape, next: () => number): readonly (readonly [number, number])[] {
  const inside = Array.from({ length: 40 }, () => [next() % m, next() % n] as const);
  return [[0, 0], [m - 1, n - 1], [m - 1, 0], [0, n - 1], ...inside];
}

describe("the product of f32", () => {
  it("is, with plain kernels, the sum of rounded products in ascending order, across blocks", () => {
    fc.assert(
      fc.property(shape, fc.nat(), (of, seed) => {
        const { x, c, at } = product(plain, of, seed);
        for (const [i, j] of places(of, generator(seed))) {
          let sum = 0;
          for (let p = 0; p < of.k; p++) sum = Math.fround(sum + Math.fround(at(i, j, p)));
          expect(Object.is(x[c + i * of.n + j], sum)).toBe(true);
        }
      }),
      { numRuns: RUNS, examples: [[DEEP, 1]] },
    );
  });

  it("is, with relaxed kernels, within its bound of the float64 sum, across blocks", () => {
    fc.assert(
      fc.property(shape, fc.nat(), (of, seed) => {
        const { x, c, at } = product(relaxed, of, seed);
        for (const [i, j] of places(of, generator(seed))) {
          let sum = 0;
          let size = 0;
          for (let p = 0; p < of.k; p++) {
            sum += at(i, j, p);
            size += Math.abs(at(i, j, p));
          }
          expect(Math.abs(x[c + i * of.n + j]! - sum)).toBeLessThanOrEqual((of.k + 8) * 2 ** -24 * size);
        }
      }),
      { numRuns: RUNS, examples: [[DEEP, 1]] },
    );
  });
});

function product({ memory, reserved, kernels }: typeof plain, of: Shape, seed: number) {
  const { m, n, k } = of;
  const [ar, ac, br, bc] = strides(of);
  const next = generator(seed);
  const [a, b] = [reserved / 4, reserved / 4 + m * k];
  const c = b + k * n;
  expect(memory.grow((c + m * n) * 4)).toBe(true);
  const x = memory.f32;
  for (let i = a; i < c; i++) x[i] = next() / 2 ** 31 - 1;
  kernels.gemm.f32(c * 4, a * 4, b * 4, m, n, k, n, ar, ac, br, bc);
  const at = (i: number, j: number, p: number): number => x[a + i * ar + p * ac]! * x[b + p * br + j * bc]!;
  return { x, c, at };
}

/** Values that differ by at most 127, at most 255, or are the extremes. */
const range = fc.constantFrom([-128, 127], [-127, 127], [-64, 63], [0, 127], [-128, -1], [127, 127]);

describe("the product of i8", () => {
  const memory = new WasmMemory(16 << 20, 16 << 20);
  const exports = instantiateKernels(kernelModule("relaxed"), memory.memory, WORK_AT);
  const gemmI8 = exports["gemmI8"] as (typeof plain)["kernels"]["gemmI8"];
  const found = exports.probeDot();

  for (const operand of new Set([found, 0])) {
    const kind = ["only values below 128", "unsigned bytes", "signed bytes"][operand]!;
    it(`is exact where the second operand of the relaxed dot product may be ${kind}`, () => {
      exports.setDot(operand);
      const work = 2 << 20;
      const shapes = fc.record({
        m: rows,
        n: columns,
        k: bytesDepth,
        aFlip: fc.boolean(),
        bFlip: fc.boolean(),
      });
      fc.assert(
        fc.property(shapes, range, range, fc.nat(), (of, ofA, ofB, seed) => {
          const { m, n, k } = of;
          const [ar, ac, br, bc] = strides(of);
          const next = generator(seed);
          const [a, b, c] = [work, work + m * k, (work + m * k + k * n + 15) & ~15];
          const draw = ([low = 0, high = 0]: readonly number[]): number => low + (next() % (high - low + 1));
          for (let i = a; i < b; i++) memory.i8[i] = draw(ofA);
          for (let i = b; i < b + k * n; i++) memory.i8[i] = draw(ofB);
          gemmI8(c, a, b, m, n, k, n, ar, ac, br, bc);
          for (const [i, j] of places(of, next)) {
            let sum = 0;
            for (let p = 0; p < k; p++)
              sum += memory.i8[a + i * ar + p * ac]! * memory.i8[b + p * br + j * bc]!;
            expect(memory.i32[c / 4 + i * n + j]).toBe(sum);
          }
        }),
        { numRuns: 2 * RUNS },
      );
      exports.setDot(found);
    });
  }

  it("stays exact when the engine has compiled the kernel again: 300 products of one size", () => {
    const [a, b, c] = [2 << 20, 3 << 20, 4 << 20];
    const side = 64;
    for (let i = 0; i < side * side; i++) {
      memory.i8[a + i] = (i * 7919) & 255;
      memory.i8[b + i] = (i * 104_729) & 255;
    }
    let sum = 0;
    for (let p = 0; p < side; p++) sum += memory.i8[a + 63 * side + p]! * memory.i8[b + p * side + 5]!;
    for (let again = 0; again < 300; again++) {
      gemmI8(c, a, b, side, side, side, side, side, 1, side, 1);
      expect(memory.i32[c / 4 + 63 * side + 5]).toBe(sum);
    }
  });
});
