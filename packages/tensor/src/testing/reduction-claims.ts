/** Claims about kernels that reduce rows (docs/spec/tensor.md, N2, N5, N6). */
import { type DType, FLOATS, type Float, NUMERICS } from "../dtype.ts";
import { type Check, eachReduction, greatest, span, summed, toI32 } from "./operands.ts";
import { ulp } from "./twin-memory.ts";

type ReduceName = "sum" | "mean" | "norm" | "reduceMin" | "reduceMax" | "argmin" | "argmax";

function reduceOf(
  name: ReduceName,
  dtypes: readonly DType[],
  { result, least = 0, special = true, tolerance }: ReduceRule = {},
): Check {
  return (twins, near) => {
    for (const dtype of dtypes)
      for (const odd of special ? [false, true] : [false])
        eachReduction((rows, n, so, sr, sa) => {
          twins.clear();
          const reach = rows === 0 || n === 0 ? 0 : (rows - 1) * sr + (n - 1) * sa + 1;
          const a = twins.random(dtype, reach, odd);
          const to = result?.(dtype) ?? dtype;
          const { count } = span(rows, so);
          const out = twins.room(to, count);
          twins.run((kernels) => kernels[name][dtype as Float](out, a, rows, n, so, sr, sa));
          const magnitude = n * greatest(twins.values(dtype, a, reach));
          const allowed = near((value) => tolerance?.(dtype, value, magnitude) ?? 0);
          twins.compare(
            `${name} ${dtype}, ${rows} rows of ${n}, strides ${so} ${sr} ${sa}`,
            to,
            out,
            count,
            allowed,
          );
        }, least);
  };
}

interface ReduceRule {
  readonly result?: (dtype: DType) => DType;
  readonly least?: number;
  readonly special?: boolean;
  /** Given the dtype, the reference's value and a bound on the sum of magnitudes. */
  readonly tolerance?: (dtype: DType, value: number, magnitude: number) => number;
}

export const reductions: Readonly<Record<string, Check>> = {
  "sum adds in stripes": reduceOf("sum", FLOATS, { tolerance: summed }),
  "sum of integers and bool is exact modulo 2^32": reduceOf("sum", ["i32", "i8", "u8", "bool"], {
    result: toI32,
  }),
  "mean is the total over the count": reduceOf("mean", FLOATS, {
    least: 1,
    tolerance: (dtype, value, magnitude) => summed(dtype, value, magnitude),
  }),
  "norm is the root of the total of squares": reduceOf("norm", FLOATS, {
    special: false,
    tolerance: (dtype, value) => 600 * ulp(dtype, value),
  }),
  "min of a row keeps NaN and the sign of zero": reduceOf("reduceMin", NUMERICS, { least: 1 }),
  "max of a row keeps NaN and the sign of zero": reduceOf("reduceMax", NUMERICS, { least: 1 }),
  "argmin is the first place, of NaN if there is one": reduceOf("argmin", NUMERICS, {
    least: 1,
    result: () => "i32",
  }),
  "argmax is the first place, of NaN if there is one": reduceOf("argmax", NUMERICS, {
    least: 1,
    result: () => "i32",
  }),
  "argmax and argmin take the first of equals": (twins) => {
    for (const name of ["argmin", "argmax"] as const)
      for (const dtype of NUMERICS)
        for (const n of [2, 5, 16, 33, 100]) {
          twins.clear();
          const a = twins.put(
            dtype,
            Array.from({ length: n }, (_, i) => [3, 7, 1, 7, 1][(i * 7) % 5] as number),
          );
          const out = twins.room("i32", 1);
          twins.run((kernels) => kernels[name][dtype](out, a, 1, n, 1, n, 1));
          twins.compare(`${name} ${dtype} of ties, n ${n}`, "i32", out, 1);
        }
  },
  "variance has two passes": (twins, near) => {
    for (const dtype of FLOATS)
      for (const ddof of [0, 1])
        eachReduction((rows, n, so, sr, sa) => {
          if (n <= ddof) return;
          twins.clear();
          const a = twins.random(dtype, rows === 0 ? 0 : (rows - 1) * sr + (n - 1) * sa + 1);
          const { count } = span(rows, so);
          const out = twins.room(dtype, count);
          twins.run((kernels) => kernels.variance[dtype](out, a, rows, n, so, sr, sa, ddof));
          const allowed = near((value) => 1200 * ulp(dtype, value) + 1e-30);
          twins.compare(`variance ${dtype}, ${rows} rows of ${n}, ddof ${ddof}`, dtype, out, count, allowed);
        }, 1);
  },
};
