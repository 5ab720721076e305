/**
 * What every backend must do: the values of docs/spec/tensor.md, at every length around the widths of vectors, for every kind of stride,
 * with NaN, infinities, both zeros and denormals, writing nothing beside the result. The scalar backend is the reference; its own
 * values are tested against NumPy and long double.
 */
import assert from "node:assert/strict";
import { SeededRandom } from "@glia-os/abi/testing";
import type { Backend, Kernels } from "../backend.ts";
import { DTYPES, type DType, FLOATS, type Float, NUMERICS, type Numeric } from "../dtype.ts";
import { EXACT, type Tolerance, TwinMemory, ulp } from "./twin-memory.ts";

/** One claim about a backend. */
export interface ContractCase {
  readonly title: string;
  /** @throws AssertionError when the claim does not hold */
  readonly run: () => void;
}

/** What is promised besides the contract. */
export interface ContractOptions {
  /** The backend gives the reference's bits (N12). Default false: the tolerances of docs/spec/tensor.md. */
  readonly exact?: boolean;
  /** Default 1. */
  readonly seed?: number;
}

const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 130, 1000];
const LONG = [4095, 4096, 4097, 8200];
/** Strides of out and operands: contiguous, a number or row that is repeated, every second or third element, backwards. */
const STRIDES = [
  [1, 1, 1],
  [1, 1, 0],
  [1, 0, 1],
  [2, 1, 3],
  [1, 2, 1],
  [1, -1, 1],
] as const;

type Check = (twins: TwinMemory, near: (tolerance: Tolerance) => Tolerance) => void;

/** The contract of `Backend`. A backend is made for each case and closed after it. */
export function backendContract(
  make: () => Backend,
  { exact = false, seed = 1 }: ContractOptions = {},
): readonly ContractCase[] {
  return Object.entries({ ...elements, ...reductions, ...products, ...rows }).map(([title, check]) => ({
    title: `${title} (seed ${seed})`,
    run: () => {
      const backend = make();
      try {
        check(new TwinMemory(backend, new SeededRandom(seed)), (tolerance) => (exact ? EXACT : tolerance));
      } finally {
        backend.close?.();
      }
    },
  }));
}

/** Elements from the first to the last of n with a stride, and where the first is among them. */
function span(n: number, stride: number): { count: number; first: number } {
  const reach = Math.max(0, n - 1) * Math.abs(stride);
  return { count: n === 0 ? 0 : reach + 1, first: stride < 0 ? reach : 0 };
}

function operand(twins: TwinMemory, dtype: DType, n: number, stride: number, special = true): number {
  const { count, first } = span(n, stride);
  return twins.random(dtype, count, special) + first * bytesOf(dtype);
}

function bytesOf(dtype: DType): number {
  return dtype === "f64" ? 8 : dtype === "f32" || dtype === "i32" ? 4 : 1;
}

function eachRun(run: (n: number, so: number, sa: number, sb: number) => void): void {
  for (const n of [...LENGTHS, ...LONG]) run(n, 1, 1, 1);
  for (const n of LENGTHS) for (const [so, sa, sb] of STRIDES) run(n, so, sa, sb);
}

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

const elements: Readonly<Record<string, Check>> = {
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

type ReduceName = "sum" | "mean" | "norm" | "reduceMin" | "reduceMax" | "argmin" | "argmax";

/** Rows, length, and the strides of out, rows and elements. */
function eachReduction(
  run: (rows: number, n: number, so: number, sr: number, sa: number) => void,
  least = 0,
): void {
  for (const n of [...LENGTHS, ...LONG]) if (n >= least) run(1, n, 1, n, 1);
  for (const n of [1, 3, 8, 17, 65]) {
    for (const rows of [0, 2, 5]) run(rows, n, 1, n, 1);
    run(7, n, 2, n + 3, 1);
    run(5, n, 1, 1, 5);
    run(17, n, 1, 1, 17);
    run(3, n, 1, 2 * n, 2);
  }
}

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

function greatest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i] as number);
    if (Number.isFinite(size)) most = Math.max(most, size);
  }
  return most;
}

/** The bound of N5: (4096/L + 8) u of the sum of magnitudes, twice because the reference has an error too. */
const summed = (dtype: DType, _value: number, magnitude: number): number =>
  2 * (dtype === "f32" ? 264 * 2 ** -24 : 520 * 2 ** -53) * magnitude;

const toI32 = (dtype: DType): DType => (dtype === "f32" || dtype === "f64" ? dtype : "i32");

const reductions: Readonly<Record<string, Check>> = {
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

const GEMMS = [
  [1, 1, 1],
  [2, 3, 4],
  [4, 8, 4],
  [5, 7, 9],
  [6, 8, 16],
  [7, 17, 3],
  [12, 16, 33],
  [13, 9, 65],
  [33, 31, 40],
  [64, 64, 64],
  [1, 70, 5],
  [70, 1, 5],
  [3, 3, 0],
  [65, 67, 130],
] as const;

type Multiply = (kernels: Kernels, ...args: Parameters<Kernels["gemmI8"]>) => void;

function gemmOf(name: string, from: DType, to: DType, multiply: Multiply): Check {
  return (twins, near) => {
    for (const [m, n, k] of GEMMS)
      for (const [flipA, flipB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const)
        for (const wide of [0, 3]) {
          twins.clear();
          const a = twins.random(from, m * k);
          const b = twins.random(from, k * n);
          const count = (m - 1) * (n + wide) + n;
          const out = twins.room(to, count);
          const [ar, ac] = flipA ? [1, m] : [k, 1];
          const [br, bc] = flipB ? [1, k] : [n, 1];
          twins.run((kernels) => multiply(kernels, out, a, b, m, n, k, n + wide, ar, ac, br, bc));
          const magnitude =
            k * greatest(twins.values(from, a, m * k)) * greatest(twins.values(from, b, k * n));
          const unit = from === "f32" ? 2 ** -24 : 2 ** -53;
          const allowed = to === "i32" ? EXACT : near(() => 2 * (k + 8) * unit * magnitude);
          const what = `${name}, ${m} x ${k} times ${k} x ${n}, ${flipA ? "a" : ""}${flipB ? "b" : ""} transposed`;
          twins.compare(what, to, out, count, allowed);
        }
  };
}

const products: Readonly<Record<string, Check>> = {
  "gemm of f32 takes any strides": gemmOf("gemm f32", "f32", "f32", (kernels, ...args) =>
    kernels.gemm.f32(...args),
  ),
  "gemm of f64 takes any strides": gemmOf("gemm f64", "f64", "f64", (kernels, ...args) =>
    kernels.gemm.f64(...args),
  ),
  "gemm of i32 is exact modulo 2^32": gemmOf("gemm i32", "i32", "i32", (kernels, ...args) =>
    kernels.gemm.i32(...args),
  ),
  "gemm of i8 is exact": gemmOf("gemm i8", "i8", "i32", (kernels, ...args) => kernels.gemmI8(...args)),
  "gemm of i8 is exact at the extremes, also -128 times -128": (twins) => {
    for (const k of [1, 15, 64, 1000]) {
      twins.clear();
      const [m, n] = [5, 9];
      const a = twins.put("i8", new Array(m * k).fill(-128));
      const b = twins.put(
        "i8",
        Array.from({ length: k * n }, (_, i) => (i % 3 === 0 ? 127 : -128)),
      );
      const out = twins.room("i32", m * n);
      twins.run((kernels) => kernels.gemmI8(out, a, b, m, n, k, n, k, 1, n, 1));
      twins.compare(`gemm i8 of extremes, k ${k}`, "i32", out, m * n);
    }
  },
  "gemm passes NaN and infinities on to their row and column only": (twins, near) => {
    for (const dtype of FLOATS) {
      twins.clear();
      const a = twins.random(dtype, 13 * 21, true);
      const b = twins.random(dtype, 21 * 11);
      const out = twins.room(dtype, 13 * 11);
      twins.run((kernels) => kernels.gemm[dtype](out, a, b, 13, 11, 21, 11, 21, 1, 11, 1));
      twins.compare(
        `gemm ${dtype} of specials`,
        dtype,
        out,
        13 * 11,
        near((value) => 1e-5 * Math.abs(value) + 1e-3),
      );
    }
  },
  "dot adds rounded products in stripes": (twins, near) => {
    for (const dtype of FLOATS)
      eachReduction((rows, n, so, sr, sa) => {
        for (const sb of [1, 2]) {
          twins.clear();
          const reach = rows === 0 || n === 0 ? 0 : (rows - 1) * sr + (n - 1) * sa + 1;
          const a = twins.random(dtype, reach);
          const b = operand(twins, dtype, n, sb, false);
          const { count } = span(rows, so);
          const out = twins.room(dtype, count);
          twins.run((kernels) => kernels.dot[dtype](out, a, b, rows, n, so, sr, sa, sb));
          const magnitude = n * greatest(twins.values(dtype, a, reach)) * 32;
          const allowed = near((value) => summed(dtype, value, magnitude));
          twins.compare(
            `dot ${dtype}, ${rows} rows of ${n}, strides ${so} ${sr} ${sa} ${sb}`,
            dtype,
            out,
            count,
            allowed,
          );
        }
      });
  },
  "dot of i32 is exact modulo 2^32": (twins) => {
    for (const n of LENGTHS) {
      twins.clear();
      const a = operand(twins, "i32", 3 * n, 1);
      const b = operand(twins, "i32", n, 1);
      const out = twins.room("i32", 3);
      twins.run((kernels) => kernels.dot.i32(out, a, b, 3, n, 1, n, 1, 1));
      twins.compare(`dot i32, n ${n}`, "i32", out, 3);
    }
  },
  "im2col lays out columns with padding, stride and dilation": (twins) => {
    for (const dtype of FLOATS)
      for (const [c, h, w, kh, kw, sh, sw, ph, pw, dh, dw] of [
        [1, 4, 4, 3, 3, 1, 1, 1, 1, 1, 1],
        [3, 7, 5, 2, 3, 2, 1, 0, 2, 1, 1],
        [2, 9, 17, 3, 3, 1, 2, 2, 2, 2, 3],
        [1, 1, 33, 1, 5, 1, 1, 0, 2, 1, 1],
      ] as const) {
        twins.clear();
        const high = Math.floor((h + 2 * ph - dh * (kh - 1) - 1) / sh) + 1;
        const wide = Math.floor((w + 2 * pw - dw * (kw - 1) - 1) / sw) + 1;
        const image = twins.random(dtype, c * h * w);
        const count = c * kh * kw * high * wide;
        const out = twins.room(dtype, count);
        twins.run((kernels) => kernels.im2col[dtype](out, image, c, h, w, kh, kw, sh, sw, ph, pw, dh, dw));
        twins.compare(`im2col ${dtype}, image ${h} x ${w}, kernel ${kh} x ${kw}`, dtype, out, count);
      }
  },
  "quantize rounds half to even, keeps to -127 to 127, and makes NaN 0": (twins) => {
    for (const n of LENGTHS) {
      twins.clear();
      const a = operand(twins, "f32", n, 1);
      const out = twins.room("i8", n);
      twins.run((kernels) => kernels.quantize(out, a, n, 0.031));
      twins.compare(`quantize, n ${n}`, "i8", out, n);
    }
    twins.clear();
    const halves = twins.put("f32", [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, 127.5, 1e9, -1e9, Number.NaN]);
    const out = twins.room("i8", 11);
    twins.run((kernels) => kernels.quantize(out, halves, 11, 1));
    twins.compare("quantize of halves", "i8", out, 11);
    assert.deepEqual(Array.from(twins.values("i8", out, 11)), [0, 2, 2, 0, -2, -2, 126, 127, 127, -127, 0]);
  },
};

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

const rows: Readonly<Record<string, Check>> = {
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
