/** Reductions of rows that lie side by side give the bits of the reference, over the edges of blocks and of the rows taken together. */
import { describe, expect, it } from "vitest";
import { currentKernels } from "../scripts/kernels.ts";
import type { Backend } from "../src/backend.ts";
import { scalarBackend, wasmBackend } from "../src/backends.ts";

await currentKernels();

const ROWS = 41;
const STEP = 43;
const LENGTH = 4099;

describe("reductions of columns", () => {
  const backends: readonly Backend[] = [wasmBackend("simd", 16 << 20), scalarBackend(16 << 20)];
  for (const dtype of ["f32", "f64"] as const) {
    const bytes = dtype === "f32" ? 4 : 8;
    for (const name of ["sum", "mean", "norm", "reduceMin", "reduceMax", "dot"] as const)
      for (const special of [false, true])
        it(`are exact: ${name} of ${dtype}, ${special ? "with" : "without"} NaN and infinities`, () => {
          const results = backends.map(({ memory, reserved, kernels }) => {
            const a = reserved + 64 * bytes;
            expect(memory.grow(a + STEP * LENGTH * bytes)).toBe(true);
            const x = memory[dtype];
            let state = 7;
            for (let i = 0; i < STEP * LENGTH; i++) {
              state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
              x[a / bytes + i] =
                special && state % 9999 === 0 ? [Number.NaN, Infinity, -0][state % 3]! : state / 2 ** 31 - 1;
            }
            if (name === "dot") kernels.dot[dtype](reserved, a, a, ROWS, LENGTH, 1, 1, STEP, 2);
            else kernels[name][dtype](reserved, a, ROWS, LENGTH, 1, 1, STEP);
            return [...x.subarray(reserved / bytes, reserved / bytes + ROWS)];
          });
          expect(results[0]).toEqual(results[1]);
        });
  }
});
