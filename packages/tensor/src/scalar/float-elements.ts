/**
 * Element-wise kernels of floats (docs/spec/tensor.md, N1, N2, N4).
 *
 * A store into a Float32Array rounds once. The sum, difference, product, quotient or root of two f32 in float64, rounded to f32, is what
 * f32 arithmetic gives (Figueroa 1995: 53 >= 2 * 24 + 2 bits).
 */
import type { AxpyKernel, BinaryKernel, Kernels, UnaryKernel } from "../backend.ts";
import type { Float } from "../dtype.ts";
import type { FloatArray, Lens } from "./lens.ts";
import { exp, gelu, log, sigmoid, silu, tanh } from "./transcendental.ts";

type FloatKernels = {
  readonly [Name in
    | ("add" | "sub" | "mul" | "div" | "min" | "max" | "axpy")
    | (
        | "neg"
        | "abs"
        | "sqrt"
        | "exp"
        | "log"
        | "tanh"
        | "sigmoid"
        | "relu"
        | "gelu"
        | "silu"
      )]: Kernels[Name][Float];
};

/** The kernels of one float dtype. */
export function floatElements(lens: Lens<FloatArray>): FloatKernels {
  return {
    add: adding(lens),
    sub: subtracting(lens),
    mul: multiplying(lens),
    div: binary(lens, (a, b) => a / b),
    min: binary(lens, Math.min),
    max: binary(lens, Math.max),
    axpy: axpy(lens),
    neg: unary(lens, (a) => -a),
    abs: unary(lens, Math.abs),
    sqrt: unary(lens, Math.sqrt),
    exp: unary(lens, exp),
    log: unary(lens, log),
    tanh: unary(lens, tanh),
    sigmoid: unary(lens, sigmoid),
    relu: unary(lens, (a) => Math.max(a, 0)),
    gelu: unary(lens, gelu),
    silu: unary(lens, silu),
  };
}

function unary({ view, shift }: Lens<FloatArray>, f: (a: number) => number): UnaryKernel {
  return (out, a, n, so, sa) => {
    const x = view();
    const to = out >>> shift;
    const from = a >>> shift;
    for (let i = 0; i < n; i++) x[to + i * so] = f(x[from + i * sa] as number);
  };
}

function binary({ view, shift }: Lens<FloatArray>, f: (a: number, b: number) => number): BinaryKernel {
  return (out, a, b, n, so, sa, sb) => {
    const x = view();
    const to = out >>> shift;
    const left = a >>> shift;
    const right = b >>> shift;
    for (let i = 0; i < n; i++) x[to + i * so] = f(x[left + i * sa] as number, x[right + i * sb] as number);
  };
}

// The three that programs spend their time in are written out, so that engines need not inline a function for them.

function adding({ view, shift }: Lens<FloatArray>): BinaryKernel {
  return (out, a, b, n, so, sa, sb) => {
    const x = view();
    const to = out >>> shift;
    const left = a >>> shift;
    const right = b >>> shift;
    for (let i = 0; i < n; i++) x[to + i * so] = (x[left + i * sa] as number) + (x[right + i * sb] as number);
  };
}

function subtracting({ view, shift }: Lens<FloatArray>): BinaryKernel {
  return (out, a, b, n, so, sa, sb) => {
    const x = view();
    const to = out >>> shift;
    const left = a >>> shift;
    const right = b >>> shift;
    for (let i = 0; i < n; i++) x[to + i * so] = (x[left + i * sa] as number) - (x[right + i * sb] as number);
  };
}

function multiplying({ view, shift }: Lens<FloatArray>): BinaryKernel {
  return (out, a, b, n, so, sa, sb) => {
    const x = view();
    const to = out >>> shift;
    const left = a >>> shift;
    const right = b >>> shift;
    for (let i = 0; i < n; i++) x[to + i * so] = (x[left + i * sa] as number) * (x[right + i * sb] as number);
  };
}

/** The product is rounded to the dtype before it is added. */
function axpy({ view, shift }: Lens<FloatArray>): AxpyKernel {
  const round = shift === 2 ? Math.fround : (x: number) => x;
  return (y, x, alpha, n, sy, sx) => {
    const at = view();
    const factor = round(alpha);
    const to = y >>> shift;
    const from = x >>> shift;
    for (let i = 0; i < n; i++)
      at[to + i * sy] = (at[to + i * sy] as number) + round(factor * (at[from + i * sx] as number));
  };
}
