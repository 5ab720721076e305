/** Matrix products of floats: one accumulator per element, the inner index ascending (docs/spec/tensor.md, N7). */
import type { GemmKernel } from "../backend.ts";
import type { Lens } from "./lens.ts";

/** The product in f32: each product is rounded before it is added. */
export function gemm32({ view }: Lens<Float32Array>): GemmKernel {
  return (out, a, b, m, n, k, or, ar, ac, br, bc) => {
    const x = view();
    for (let i = 0; i < m; i++) {
      const row = (out >>> 2) + i * or;
      x.fill(0, row, row + n);
      for (let p = 0; p < k; p++) {
        const factor = x[(a >>> 2) + i * ar + p * ac] as number;
        const line = (b >>> 2) + p * br;
        for (let j = 0; j < n; j++)
          x[row + j] = (x[row + j] as number) + Math.fround(factor * (x[line + j * bc] as number));
      }
    }
  };
}

/** The product in f64. */
export function gemm64({ view }: Lens<Float64Array>): GemmKernel {
  return (out, a, b, m, n, k, or, ar, ac, br, bc) => {
    const x = view();
    for (let i = 0; i < m; i++) {
      const row = (out >>> 3) + i * or;
      x.fill(0, row, row + n);
      for (let p = 0; p < k; p++) {
        const factor = x[(a >>> 3) + i * ar + p * ac] as number;
        const line = (b >>> 3) + p * br;
        for (let j = 0; j < n; j++)
          x[row + j] = (x[row + j] as number) + factor * (x[line + j * bc] as number);
      }
    }
  };
}
