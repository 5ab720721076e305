/** Softmax and the two norms over contiguous rows (docs/spec/tensor.md, N8). */
import type { NormKernel, RowKernel } from "../backend.ts";
import type { Float } from "../dtype.ts";
import { totalOf, totalOfDeviations, totalOfSquares } from "./float-reductions.ts";
import type { FloatArray, Lens } from "./lens.ts";
import { stripedSum } from "./striped-sum.ts";
import { exp } from "./transcendental.ts";

/** The kernels of one float dtype. */
export function rowKernels(
  lens: Lens<FloatArray>,
  dtype: Float,
): { readonly softmax: RowKernel; readonly layerNorm: NormKernel; readonly rmsNorm: NormKernel } {
  return {
    softmax: softmax(lens, dtype),
    layerNorm: layerNorm(lens, dtype),
    rmsNorm: rmsNorm(lens, dtype),
  };
}

function rounding(dtype: Float): (value: number) => number {
  return dtype === "f32" ? Math.fround : (value) => value;
}

function softmax({ view, shift }: Lens<FloatArray>, dtype: Float): RowKernel {
  const sum = stripedSum(dtype);
  const round = rounding(dtype);
  return (out, a, rows, n) => {
    const x = view();
    for (let r = 0; r < rows; r++) {
      const from = (a >>> shift) + r * n;
      const to = (out >>> shift) + r * n;
      let most = x[from] as number;
      for (let i = 1; i < n; i++) most = Math.max(most, x[from + i] as number);
      for (let i = 0; i < n; i++) x[to + i] = exp(round((x[from + i] as number) - most));
      const total = round(totalOf(sum, x, to, n, 1));
      for (let i = 0; i < n; i++) x[to + i] = (x[to + i] as number) / total;
    }
  };
}

function layerNorm({ view, shift }: Lens<FloatArray>, dtype: Float): NormKernel {
  const sum = stripedSum(dtype);
  const round = rounding(dtype);
  const write = scaling(shift, dtype);
  return (out, a, gain, shiftBy, rows, n, epsilon) => {
    const x = view();
    for (let r = 0; r < rows; r++) {
      const from = (a >>> shift) + r * n;
      const mean = round(totalOf(sum, x, from, n, 1) / n);
      const variance = round(totalOfDeviations(sum, x, from, n, 1, mean) / n);
      write(
        x,
        (out >>> shift) + r * n,
        from,
        n,
        mean,
        round(1 / Math.sqrt(variance + epsilon)),
        gain,
        shiftBy,
      );
    }
  };
}

function rmsNorm({ view, shift }: Lens<FloatArray>, dtype: Float): NormKernel {
  const sum = stripedSum(dtype);
  const round = rounding(dtype);
  const write = scaling(shift, dtype);
  return (out, a, gain, shiftBy, rows, n, epsilon) => {
    const x = view();
    for (let r = 0; r < rows; r++) {
      const from = (a >>> shift) + r * n;
      const factor = round(1 / Math.sqrt(totalOfSquares(sum, x, from, n, 1) / n + epsilon));
      write(x, (out >>> shift) + r * n, from, n, 0, factor, gain, shiftBy);
    }
  };
}

/** Writes ((x - mean) factor) gain + shift for one row, each step rounded; a gain or shift at offset 0 is none. */
function scaling(shift: number, dtype: Float) {
  const round = rounding(dtype);
  return (
    x: FloatArray,
    to: number,
    from: number,
    n: number,
    mean: number,
    factor: number,
    gain: number,
    shiftBy: number,
  ): void => {
    for (let i = 0; i < n; i++) {
      let value = round(round((x[from + i] as number) - mean) * factor);
      if (gain !== 0) value = round(value * (x[(gain >>> shift) + i] as number));
      if (shiftBy !== 0) value += x[(shiftBy >>> shift) + i] as number;
      x[to + i] = value;
    }
  };
}
