/** Claims about kernels that work on each element (docs/spec/tensor.md, N1 to N4, N9). */
import { DTYPES, type DType, FLOATS, type Float, NUMERICS } from "../dtype.ts";
import { type Check, eachRun, LENGTHS, operand, STRIDES, span } from "./operands.ts";
import { EXACT, type Tolerance, ulp } from "./twin-memory.ts";

type UnaryName =
  | "copy"
  | "neg"
  | "abs"
  | "sqrt"
  | "relu"
  | "exp"
  | "log"
  | "tanh"
  | "sigmoid"
  | "gelu"
  | "silu";
type BinaryName = "add" | "sub" | "mul" | "div" | "min" | "max" | "equal" | "less" | "lessEqual";

function unaryOf(name: UnaryName, dtypes: readonly DType[], tolerance?: (dtype: DType) => Tolerance): Check {
  return (twins, near) => {
    for (const dtype of dtypes)
      eachRun((n, so, sa) => {
        twins.clear();
        const a = operand(twins, dtype, n, sa);
        const { count } = span(n, so);
        const out = twins.room(dtype, count);
        twins.run((kernels) => kernels[name][dtype as Float](out, a, n, so, sa));
        const allowed = tolerance === undefined ? EXACT : near(tolerance(dtype));
        twins.compare(`${name} ${dtype}, n ${n}, strides ${so} ${sa}`, dtype, out, count, allowed);
      });
  };
}

function binaryOf(name: BinaryName, dtypes: readonly DType[], result?: DType): Check {
  return (twins) => {
    for (const dtype of dtypes)
      eachRun((n, so, sa, sb) => {
        twins.clear();
        const a = operand(twins, dtype, n, sa);
        const b = operand(twins, dtype, n, sb);
        const { count } = span(n, so);
        const out = twins.room(result ?? dtype, count);
        twins.run((kernels) => kernels[name][dtype as Float](out, a, b, n, so, sa, sb));
        twins.compare(`${name} ${dtype}, n ${n}, strides ${so} ${sa} ${sb}`, result ?? dtype, out, count);
        if (result !== undefined || sa !== so) return;
        twins.run((kernels) => kernels[name][dtype as Float](a, a, b, n, so, sa, sb));
        twins.compare(`${name} ${dtype} in place, n ${n}, strides ${so} ${sa} ${sb}`, dtype, a, count);
      });
  };
}

/** Denormal results may be 0: below the least normal number everything is near. */
const fewUlps =
  (dtype: DType): Tolerance =>
  (value) =>
    Math.max(5 * ulp(dtype, value), dtype === "f32" ? 1.2e-38 : 2.3e-308);

const SIGNED: readonly DType[] = ["f32", "f64", "i32", "i8"];

export const elements: Readonly<Record<string, Check>> = {
  "fill writes every element": (twins) => {
    for (const dtype of DTYPES)
      for (const n of LENGTHS)
        for (const so of [1, 2]) {
          twins.clear();
          const { count } = span(n, so);
          const out = twins.room(dtype, count);
          twins.run((kernels) => kernels.fill[dtype](out, 1, n, so));
          twins.compare(`fill ${dtype}, n ${n}, stride ${so}`, dtype, out, count);
        }
  },
  "copy copies": unaryOf("copy", DTYPES),
  "cast converts between all dtypes": (twins) => {
    for (const from of DTYPES)
      for (const to of DTYPES)
        for (const n of [0, 1, 7, 33])
          for (const [so, sa] of [
            [1, 1],
            [2, 3],
          ] as const) {
            twins.clear();
            const a = operand(twins, from, n, sa);
            const { count } = span(n, so);
            const out = twins.room(to, count);
            twins.run((kernels) => kernels.cast[from][to](out, a, n, so, sa));
            twins.compare(`cast ${from} to ${to}, n ${n}`, to, out, count);
          }
  },
  "select takes one or the other": (twins) => {
    for (const dtype of DTYPES)
      for (const n of LENGTHS)
        for (const [so, sa, sb] of STRIDES) {
          twins.clear();
          const condition = operand(twins, "bool", n, 1);
          const a = operand(twins, dtype, n, sa);
          const b = operand(twins, dtype, n, sb);
          const { count } = span(n, so);
          const out = twins.room(dtype, count);
          twins.run((kernels) => kernels.select[dtype](out, condition, a, b, n, so, 1, sa, sb));
          twins.compare(`select ${dtype}, n ${n}`, dtype, out, count);
        }
  },
  "add is exact": binaryOf("add", NUMERICS),
  "sub is exact": binaryOf("sub", NUMERICS),
  "mul is exact": binaryOf("mul", NUMERICS),
  "div is exact": binaryOf("div", FLOATS),
  "min keeps NaN and the sign of zero": binaryOf("min", NUMERICS),
  "max keeps NaN and the sign of zero": binaryOf("max", NUMERICS),
  "equal compares": binaryOf("equal", DTYPES, "bool"),
  "less compares": binaryOf("less", NUMERICS, "bool"),
  "lessEqual compares": binaryOf("lessEqual", NUMERICS, "bool"),
  "neg is exact": unaryOf("neg", SIGNED),
  "abs is exact": unaryOf("abs", SIGNED),
  "sqrt is exact": unaryOf("sqrt", FLOATS),
  "relu is exact": unaryOf("relu", FLOATS),
  "exp is within 4 ULP": unaryOf("exp", FLOATS, fewUlps),
  "log is within 4 ULP": unaryOf("log", FLOATS, fewUlps),
  "tanh is within 4 ULP": unaryOf("tanh", FLOATS, fewUlps),
  "sigmoid is within 4 ULP": unaryOf("sigmoid", FLOATS, fewUlps),
  "gelu is within its tolerance": unaryOf(
    "gelu",
    FLOATS,
    (dtype) => (value) => 400 * fewUlps(dtype)(value, 0),
  ),
  "silu is within 4 ULP": unaryOf("silu", FLOATS, fewUlps),
  "axpy adds a multiple": (twins, near) => {
    for (const dtype of FLOATS)
      eachRun((n, sy, sx) => {
        twins.clear();
        const x = operand(twins, dtype, n, sx);
        const y = operand(twins, dtype, n, sy);
        const { count } = span(n, sy);
        twins.run((kernels) => kernels.axpy[dtype](y, x, 0.7, n, sy, sx));
        const tolerance: Tolerance = (value) => 4 * ulp(dtype, Math.max(Math.abs(value), 128));
        twins.compare(`axpy ${dtype}, n ${n}, strides ${sy} ${sx}`, dtype, y, count, near(tolerance));
      });
  },
};
