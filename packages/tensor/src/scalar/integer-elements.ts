/** Element-wise kernels of integers; a store wraps modulo the width of the dtype (docs/spec/tensor.md, N1). */
import type { BinaryKernel, Kernels, UnaryKernel } from "../backend.ts";
import type { IntegerArray, Lens } from "./lens.ts";

type IntegerKernels = { readonly [Name in "add" | "sub" | "mul" | "min" | "max"]: Kernels[Name]["i32"] };
type SignedKernels = { readonly [Name in "neg" | "abs"]: Kernels[Name]["i32"] };

/** The kernels of one integer dtype. */
export function integerElements(lens: Lens<IntegerArray>): IntegerKernels {
  return {
    add: binary(lens, (a, b) => a + b),
    sub: binary(lens, (a, b) => a - b),
    mul: binary(lens, Math.imul),
    min: binary(lens, Math.min),
    max: binary(lens, Math.max),
  };
}

/** The kernels that only a signed dtype has. */
export function signedElements(lens: Lens<IntegerArray>): SignedKernels {
  return { neg: unary(lens, (a) => -a), abs: unary(lens, Math.abs) };
}

function unary({ view, shift }: Lens<IntegerArray>, f: (a: number) => number): UnaryKernel {
  return (out, a, n, so, sa) => {
    const x = view();
    const to = out >>> shift;
    const from = a >>> shift;
    for (let i = 0; i < n; i++) x[to + i * so] = f(x[from + i * sa] as number);
  };
}

function binary({ view, shift }: Lens<IntegerArray>, f: (a: number, b: number) => number): BinaryKernel {
  return (out, a, b, n, so, sa, sb) => {
    const x = view();
    const to = out >>> shift;
    const left = a >>> shift;
    const right = b >>> shift;
    for (let i = 0; i < n; i++) x[to + i * so] = f(x[left + i * sa] as number, x[right + i * sb] as number);
  };
}
