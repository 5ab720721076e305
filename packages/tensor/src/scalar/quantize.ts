/** Floats as i8 and a scale (docs/spec/tensor.md, N10). */
import type { QuantizeKernel, TensorMemory } from "../backend.ts";

/** 1.5 * 2^52: adding it rounds a number of less than 2^51 to a whole one, ties to even; taking it off again leaves that. */
const ROUNDER = 6755399441055744;

/** The kernel over a memory. */
export function quantize(memory: TensorMemory): QuantizeKernel {
  return (out, a, n, scale) => {
    const x = memory.f32;
    const y = memory.i8;
    for (let i = 0; i < n; i++) {
      const value = Math.max(-127, Math.min(127, (x[(a >>> 2) + i] as number) / scale));
      y[out + i] = value + ROUNDER - ROUNDER;
    }
  };
}
