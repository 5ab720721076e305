/** Sums and products of integers, modulo 2^32, which no order changes (docs/spec/tensor.md, N1, N7). */
import type { DotKernel, GemmKernel, ReduceKernel } from "../backend.ts";
import type { IntegerArray, Lens } from "./lens.ts";

/** The sum of each row as i32. */
export function integerSum({ view, shift }: Lens<IntegerArray>, results: Lens<Int32Array>): ReduceKernel {
  return (out, a, rows, n, so, sr, sa) => {
    const x = view();
    const y = results.view();
    for (let r = 0; r < rows; r++) {
      const from = (a >>> shift) + r * sr;
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + (x[from + i * sa] as number)) | 0;
      y[(out >>> 2) + r * so] = sum;
    }
  };
}

/** Dot products of i32. */
export function integerDot({ view }: Lens<Int32Array>): DotKernel {
  return (out, a, b, rows, n, so, sr, sa, sb) => {
    const x = view();
    for (let r = 0; r < rows; r++) {
      const from = (a >>> 2) + r * sr;
      let sum = 0;
      for (let i = 0; i < n; i++)
        sum = (sum + Math.imul(x[from + i * sa] as number, x[(b >>> 2) + i * sb] as number)) | 0;
      x[(out >>> 2) + r * so] = sum;
    }
  };
}

/** Matrix product of integers into i32. */
export function integerGemm({ view, shift }: Lens<IntegerArray>, results: Lens<Int32Array>): GemmKernel {
  return (out, a, b, m, n, k, or, ar, ac, br, bc) => {
    const x = view();
    const y = results.view();
    const left = a >>> shift;
    const right = b >>> shift;
    const to = out >>> 2;
    for (let i = 0; i < m; i++) {
      const row = to + i * or;
      y.fill(0, row, row + n);
      for (let p = 0; p < k; p++) {
        const factor = x[left + i * ar + p * ac] as number;
        const line = right + p * br;
        for (let j = 0; j < n; j++)
          y[row + j] = (y[row + j] as number) + Math.imul(factor, x[line + j * bc] as number);
      }
    }
  };
}
