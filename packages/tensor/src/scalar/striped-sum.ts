/**
 * The one order in which floats are summed (docs/spec/tensor.md, N5).
 *
 * Terms are put into a block of 4096 in the dtype, which rounds them, and the block is summed in stripes. What a row's total is depends on
 * its terms and their order alone.
 */
import type { FloatArray } from "./lens.ts";

/** Terms of a block. */
export const BLOCK = 4096;

/** Writes terms `first` to `first + count` of a row to the start of a block. */
export type Terms = (block: FloatArray, first: number, count: number) => void;

/** Sums rows of one dtype. */
export interface StripedSum {
  /** The float64 total of n terms. */
  total(n: number, terms: Terms): number;
}

/** A sum for one dtype, which keeps a block and its accumulators: 16 of f32 or 8 of f64. */
export function stripedSum(dtype: "f32" | "f64"): StripedSum {
  const block = dtype === "f32" ? new Float32Array(BLOCK) : new Float64Array(BLOCK);
  const stripes = dtype === "f32" ? new Float32Array(16) : new Float64Array(8);
  return {
    total(n, terms) {
      let total = 0;
      for (let first = 0; first < n; first += BLOCK) {
        const count = Math.min(BLOCK, n - first);
        terms(block, first, count);
        total += sumOfBlock(block, count, stripes);
      }
      return total;
    },
  };
}

function sumOfBlock(block: FloatArray, count: number, stripes: FloatArray): number {
  stripes.fill(0);
  const mask = stripes.length - 1;
  for (let i = 0; i < count; i++) stripes[i & mask] = (stripes[i & mask] as number) + (block[i] as number);
  for (let half = stripes.length / 2; half >= 1; half /= 2)
    for (let j = 0; j < half; j++) stripes[j] = (stripes[j] as number) + (stripes[j + half] as number);
  return stripes[0] as number;
}
