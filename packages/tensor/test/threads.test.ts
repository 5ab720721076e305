/** Several threads: the same bits as one, whatever the cut; ends when closed. */
import { afterAll, describe, expect, it } from "vitest";
import { currentKernels } from "../scripts/kernels.ts";
import type { Backend } from "../src/backend.ts";
import { threadsBackend, wasmBackend } from "../src/backends.ts";
import { BadOptionError } from "../src/errors.ts";
import { backendContract } from "../src/testing/index.ts";
import { splitDot, splitElements, splitProduct, splitRows } from "../src/threads/split.ts";

await currentKernels();
const three = await threadsBackend({ threads: 3, kernels: "simd", limitBytes: 64 << 20 });
const one = wasmBackend("simd", 64 << 20);

afterAll(() => three.close?.());

describe("the backend of threads keeps the contract, to the bit with plain kernels", () => {
  const { close: _, ...open } = three;
  for (const { title, run } of backendContract(() => open, { exact: true, seed: 4 })) it(title, run);
});

/** Write pseudo-random floats behind the reserved bytes of both backends; the offset of the first. */
function operands(backends: readonly Backend[], bytes: number): number[] {
  return backends.map(({ memory, reserved }) => {
    expect(memory.grow(reserved + 2 * bytes)).toBe(true);
    let state = 1;
    for (let i = 0; i < bytes / 4; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      memory.f32[reserved / 4 + i] = state / 2 ** 31 - 1;
    }
    return reserved;
  });
}

const LARGE = 4 << 20;

describe("a call large enough to be cut", () => {
  const cases: readonly [string, (kernels: Backend["kernels"], out: number, a: number) => void][] = [
    ["gemm, tall", ({ gemm }, out, a) => gemm.f32(out, a, a + 4, 301, 130, 140, 130, 140, 1, 130, 1)],
    ["gemm, wide", ({ gemm }, out, a) => gemm.f32(out, a, a + 4, 70, 700, 90, 700, 90, 1, 700, 1)],
    ["gemm, transposed", ({ gemm }, out, a) => gemm.f64(out, a, a + 8, 130, 131, 100, 131, 1, 130, 1, 100)],
    ["gemmI8", ({ gemmI8 }, out, a) => gemmI8(out, a, a + 1, 200, 210, 99, 210, 99, 1, 210, 1)],
    ["add", ({ add }, out, a) => add.f32(out, a, a + 4, 500_001, 1, 1, 1)],
    ["mul by one number", ({ mul }, out, a) => mul.f32(out, a, a, 500_001, 1, 1, 0)],
    ["exp", ({ exp }, out, a) => exp.f32(out, a, 100_003, 1, 1)],
    ["softmax", ({ softmax }, out, a) => softmax.f32(out, a, 301, 333)],
    ["layerNorm", ({ layerNorm }, out, a) => layerNorm.f32(out, a, a, 0, 301, 1001, 1e-5)],
    ["matvec", ({ dot }, out, a) => dot.f32(out, a, a, 999, 1001, 1, 1001, 1, 1)],
  ];
  for (const [title, call] of cases) {
    it(`gives one thread's bits: ${title}`, () => {
      const [b, a] = operands([three, one], LARGE);
      for (let again = 0; again < 20; again++) call(three.kernels, b! + LARGE, b!);
      call(one.kernels, a! + LARGE, a!);
      const [is, wanted] = [three, one].map(({ memory, reserved }) =>
        Buffer.from(memory.u8.slice(reserved + LARGE, reserved + 2 * LARGE)),
      );
      expect(is!.equals(wanted!)).toBe(true);
    });
  }
});

describe("a cut", () => {
  const covers = (parts: readonly (readonly number[])[], place: number, unit: number): number => {
    expect(parts.length).toBeGreaterThan(1);
    parts.slice(0, -1).forEach((part) => {
      expect(part[place]! % unit).toBe(0);
    });
    return parts.reduce((sum, part) => sum + part[place]!, 0);
  };

  it("covers every element, row and tile once, in whole units", () => {
    expect(covers(splitElements(4, 2, 1)([64, 64, 64, 1_000_003, 1, 1, 1], 4), 3, 64)).toBe(1_000_003);
    expect(covers(splitElements(4, 1, 20)([64, 64, 100_001, 2, 1], 4), 2, 64)).toBe(100_001);
    expect(covers(splitRows(4, 2, 20)([0, 0, 777, 100], 2), 2, 1)).toBe(777);
    expect(covers(splitDot(4)([0, 0, 0, 999, 1000, 1, 1000, 1, 1], 2), 3, 1)).toBe(999);
  });

  it("of a product covers every element of the result once, in whole tiles, with operands that belong to it", () => {
    for (const [m, n, k, threads] of [
      [500, 499, 100, 3],
      [70, 7000, 90, 2],
      [7000, 5, 90, 4],
      [1024, 1024, 1024, 16],
    ] as const) {
      const seen = new Uint8Array(m * n);
      const parts = splitProduct(4, 4)([0, 0, 0, m, n, k, n, k, 1, n, 1], threads);
      expect(parts.length).toBeGreaterThan(1);
      expect(parts.length).toBeLessThanOrEqual(32);
      for (const [out = 0, a = 0, b = 0, rows = 0, columns = 0] of parts) {
        const [i, j] = [Math.floor(out / 4 / n), (out / 4) % n];
        expect([a, b, i % 6, j % 8]).toEqual([4 * i * k, 4 * j, 0, 0]);
        for (let row = i; row < i + rows; row++)
          for (let column = j; column < j + columns; column++) seen[row * n + column]!++;
      }
      expect(seen.every((times) => times === 1)).toBe(true);
    }
  });

  it("is not made of a call that is too small, and of no call more parts than a job has", () => {
    expect(splitElements(4, 2, 1)([64, 64, 64, 1000, 1, 1, 1], 16)).toHaveLength(1);
    expect(splitProduct(4, 4)([0, 0, 0, 8, 8, 8, 8, 8, 1, 8, 1], 16)).toHaveLength(1);
    expect(splitElements(4, 2, 1)([64, 64, 64, 2 ** 28, 1, 1, 1], 16)).toHaveLength(32);
  });
});

it("takes 2 to 16 threads and refuses other numbers", async () => {
  for (const threads of [0, 1, 17, 2.5, Number.NaN])
    await expect(threadsBackend({ threads })).rejects.toThrow(BadOptionError);
});
