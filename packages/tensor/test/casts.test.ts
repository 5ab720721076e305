/** Casts between f32 and integers by vectors: what typed arrays of JavaScript do, at every place of a vector; and the greatest of rows that grow. */
import { describe, expect, it } from "vitest";
import { currentKernels } from "../scripts/kernels.ts";
import { wasmBackend } from "../src/backends.ts";
import { Space, Tensor } from "../src/index.ts";

await currentKernels();
const space = new Space({ backend: wasmBackend("simd", 64 << 20) });

/** Around every limit of the conversions, and far beyond. */
const EDGES = [
  ...[0, -0, 0.5, -0.5, 0.999, -0.999, 1.5, 127, 128, -128, -129, 255, 256, -255.7, 65_535.5, 8_388_607.5],
  ...[
    2 ** 31,
    -(2 ** 31),
    2 ** 31 - 128,
    -(2 ** 31) - 256,
    2 ** 32,
    2 ** 32 - 256,
    3e9,
    -3e9,
    2 ** 40 + 2 ** 20,
  ],
  ...[2 ** 62, 2 ** 63, -(2 ** 63), 2 ** 63 - 2 ** 39, 2 ** 64, 1e30, -1e30, 3.4e38, 1e-40],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];

const TARGETS = { i32: Int32Array, i8: Int8Array, u8: Uint8Array } as const;

describe("a cast gives what typed arrays give (N9)", () => {
  it("from f32 to integers, whatever stands beside an element in its vector", () => {
    for (const [dtype, Target] of Object.entries(TARGETS) as [keyof typeof TARGETS, typeof Int32Array][])
      for (const edge of EDGES)
        for (let at = 0; at < 37; at++) {
          const values = Float32Array.from({ length: 37 }, (_, i) => (i === at ? edge : 3 * i - 50.25));
          using a = Tensor.from(values, { space });
          using b = a.cast(dtype);
          expect(b.toTypedArray(), `${edge} to ${dtype} at ${at}`).toEqual(Target.from(values));
        }
  });

  it("from integers to f32 and to one another, over the whole range", () => {
    const words = Int32Array.from({ length: 1003 }, (_, i) => Math.imul(i, 2_654_435_761) ^ (i << 7));
    for (const from of [words, Int8Array.from(words), Uint8Array.from(words)])
      for (const [dtype, Target] of Object.entries({ ...TARGETS, f32: Float32Array }) as [
        "i32",
        typeof Int32Array,
      ][]) {
        using a = Tensor.from(from, { space });
        using b = a.cast(dtype);
        expect(b.toTypedArray(), `${from.constructor.name} to ${dtype}`).toEqual(Target.from(from));
      }
  });
});

it("the greatest k are right for rows that grow, fall, and hold one number only, for every numeric dtype (O2, N10)", () => {
  const n = 300;
  for (const Source of [Float32Array, Float64Array, Int32Array, Int8Array, Uint8Array])
    for (const row of [(i: number) => i, (i: number) => -i, () => 5, (i: number) => (i * 37) % 101])
      for (const k of [1, 65, 299, 300]) {
        const values = new Source(Array.from({ length: n }, (_, i) => row(i)));
        using a = Tensor.from(values, { space });
        const greatest = a.topK(k);
        const wanted = Array.from(values, (value, i) => [value, i] as const)
          .sort(([x, i], [y, j]) => y - x || i - j)
          .slice(0, k);
        expect(greatest.indices.toArray()).toEqual(wanted.map(([, i]) => i));
        expect(Array.from(greatest.values.toTypedArray())).toEqual(wanted.map(([value]) => value));
        greatest.values.free();
        greatest.indices.free();
      }
});
