/** Claims about softmax, norms and the greatest k (docs/spec/tensor.md, N8, N10). */
import assert from "node:assert/strict";
import { FLOATS, NUMERICS, type Numeric } from "../dtype.ts";
import { type Check, greatest, LENGTHS } from "./operands.ts";
import { ulp } from "./twin-memory.ts";

function normOf(name: "layerNorm" | "rmsNorm"): Check {
  return (twins, near) => {
    for (const dtype of FLOATS)
      for (const n of [...LENGTHS.slice(1), 4097])
        for (const [gains, shifts] of [
          [false, false],
          [true, false],
          [true, true],
        ] as const) {
          twins.clear();
          const rows = n > 1000 ? 1 : 3;
          const a = twins.random(dtype, rows * n);
          const gain = gains ? twins.random(dtype, n) : 0;
          const shift = shifts ? twins.random(dtype, n) : 0;
          const out = twins.room(dtype, rows * n);
          twins.run((kernels) => kernels[name][dtype](out, a, gain, shift, rows, n, 1e-5));
          const most = greatest(twins.values(dtype, out, rows * n));
          const allowed = near(() => 600 * ulp(dtype, most));
          twins.compare(`${name} ${dtype}, ${rows} rows of ${n}`, dtype, out, rows * n, allowed);
        }
  };
}

export const rows: Readonly<Record<string, Check>> = {
  "softmax rows add up to 1 and survive large values": (twins, near) => {
    for (const dtype of FLOATS)
      for (const n of [...LENGTHS.slice(1), 4097])
        for (const special of [false, true]) {
          twins.clear();
          const count = n > 1000 ? 1 : 3;
          const a = twins.random(dtype, count * n, special);
          const out = twins.room(dtype, count * n);
          twins.run((kernels) => kernels.softmax[dtype](out, a, count, n));
          const allowed = near((value) => 600 * ulp(dtype, value) + (dtype === "f32" ? 1.2e-38 : 2.3e-308));
          twins.compare(`softmax ${dtype}, ${count} rows of ${n}`, dtype, out, count * n, allowed);
          twins.run((kernels) => kernels.softmax[dtype](a, a, count, n));
          twins.compare(`softmax ${dtype} in place, ${count} rows of ${n}`, dtype, a, count * n, allowed);
        }
  },
  "layerNorm normalises rows": normOf("layerNorm"),
  "rmsNorm normalises rows": normOf("rmsNorm"),
  "topK orders by value, then by place, NaN first": (twins) => {
    for (const dtype of NUMERICS as readonly Numeric[])
      for (const [n, k] of [
        [1, 1],
        [5, 1],
        [5, 5],
        [17, 4],
        [100, 10],
        [1000, 33],
        [700, 600],
      ] as const)
        for (const [sr, sa] of [
          [n, 1],
          [1, 3],
        ] as const) {
          twins.clear();
          const a = twins.random(dtype, 2 * sr + (n - 1) * sa + 1, true);
          const values = twins.room(dtype, 3 * k);
          const indices = twins.room("i32", 3 * k);
          twins.run((kernels) => kernels.topK[dtype](values, indices, a, 3, n, sr, sa, k));
          assert.ok(indices > values);
          const what = `topK ${dtype}, ${k} of ${n}, strides ${sr} ${sa}`;
          twins.compareBoth(
            what,
            { dtype, at: values, count: 3 * k },
            { dtype: "i32", at: indices, count: 3 * k },
          );
        }
  },
};
