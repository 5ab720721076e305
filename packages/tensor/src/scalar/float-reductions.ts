/** Reductions of floats that add (docs/spec/tensor.md, N5, N6). */
import type { DotKernel, Kernels, ReduceKernel, VarianceKernel } from "../backend.ts";
import type { Float } from "../dtype.ts";
import type { FloatArray, Lens } from "./lens.ts";
import { type StripedSum, stripedSum } from "./striped-sum.ts";

type FloatReductions = {
  readonly [Name in "sum" | "mean" | "norm" | "variance" | "dot"]: Kernels[Name][Float];
};

/** The kernels of one float dtype. */
export function floatReductions(lens: Lens<FloatArray>, dtype: Float): FloatReductions {
  const sum = stripedSum(dtype);
  return {
    sum: rows(lens, (x, from, n, sa) => totalOf(sum, x, from, n, sa)),
    mean: rows(lens, (x, from, n, sa) => totalOf(sum, x, from, n, sa) / n),
    norm: rows(lens, (x, from, n, sa) => Math.sqrt(totalOfSquares(sum, x, from, n, sa))),
    variance: variance(lens, sum, dtype),
    dot: dot(lens, sum),
  };
}

/** The total of n elements. */
export function totalOf(sum: StripedSum, x: FloatArray, from: number, n: number, sa: number): number {
  return sum.total(n, (block, first, count) => {
    for (let i = 0; i < count; i++) block[i] = x[from + (first + i) * sa] as number;
  });
}

/** The total of n squares. */
export function totalOfSquares(sum: StripedSum, x: FloatArray, from: number, n: number, sa: number): number {
  return sum.total(n, (block, first, count) => {
    for (let i = 0; i < count; i++) {
      const value = x[from + (first + i) * sa] as number;
      block[i] = value * value;
    }
  });
}

/** The total of n squared differences from a mean; `mean` is rounded to the dtype, and so is each difference. */
export function totalOfDeviations(
  sum: StripedSum,
  x: FloatArray,
  from: number,
  n: number,
  sa: number,
  mean: number,
): number {
  return sum.total(n, (block, first, count) => {
    for (let i = 0; i < count; i++) block[i] = (x[from + (first + i) * sa] as number) - mean;
    for (let i = 0; i < count; i++) block[i] = (block[i] as number) * (block[i] as number);
  });
}

type OneRow = (x: FloatArray, from: number, n: number, sa: number) => number;

function rows({ view, shift }: Lens<FloatArray>, reduce: OneRow): ReduceKernel {
  return (out, a, count, n, so, sr, sa) => {
    const x = view();
    for (let r = 0; r < count; r++) x[(out >>> shift) + r * so] = reduce(x, (a >>> shift) + r * sr, n, sa);
  };
}

function variance({ view, shift }: Lens<FloatArray>, sum: StripedSum, dtype: Float): VarianceKernel {
  const round = dtype === "f32" ? Math.fround : (value: number) => value;
  return (out, a, count, n, so, sr, sa, ddof) => {
    const x = view();
    for (let r = 0; r < count; r++) {
      const from = (a >>> shift) + r * sr;
      const mean = round(totalOf(sum, x, from, n, sa) / n);
      x[(out >>> shift) + r * so] = totalOfDeviations(sum, x, from, n, sa, mean) / (n - ddof);
    }
  };
}

function dot({ view, shift }: Lens<FloatArray>, sum: StripedSum): DotKernel {
  return (out, a, b, count, n, so, sr, sa, sb) => {
    const x = view();
    const right = b >>> shift;
    for (let r = 0; r < count; r++) {
      const left = (a >>> shift) + r * sr;
      x[(out >>> shift) + r * so] = sum.total(n, (block, first, length) => {
        for (let i = 0; i < length; i++)
          block[i] = (x[left + (first + i) * sa] as number) * (x[right + (first + i) * sb] as number);
      });
    }
  };
}
