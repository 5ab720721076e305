/** Kernels that move elements as they are, compare them or convert them (docs/spec/tensor.md, N3, N9). */
import type { BinaryKernel, FillKernel, SelectKernel, UnaryKernel } from "../backend.ts";
import type { DType } from "../dtype.ts";
import type { AnyArray, Lens } from "./lens.ts";

/** out = value. */
export function fill({ view, shift }: Lens<AnyArray>): FillKernel {
  return (out, value, n, so) => {
    const x = view();
    const to = out >>> shift;
    if (so === 1) {
      x.fill(value, to, to + n);
      return;
    }
    for (let i = 0; i < n; i++) x[to + i * so] = value;
  };
}

/** out = a. */
export function copy({ view, shift }: Lens<AnyArray>): UnaryKernel {
  return (out, a, n, so, sa) => {
    const x = view();
    const to = out >>> shift;
    const from = a >>> shift;
    if (so === 1 && sa === 1) {
      x.copyWithin(to, from, from + n);
      return;
    }
    for (let i = 0; i < n; i++) x[to + i * so] = x[from + i * sa] as number;
  };
}

/** out = a in another dtype. Typed arrays convert as N9 says, except to bool. */
export function cast(from: Lens<AnyArray>, to: Lens<AnyArray>, target: DType): UnaryKernel {
  return (out, a, n, so, sa) => {
    const x = from.view();
    const y = to.view();
    const source = a >>> from.shift;
    const sink = out >>> to.shift;
    for (let i = 0; i < n; i++) {
      const value = x[source + i * sa] as number;
      y[sink + i * so] = target !== "bool" ? value : value !== 0 ? 1 : 0;
    }
  };
}

/** out = condition ? a : b. */
export function select({ view, shift }: Lens<AnyArray>, conditions: Lens<Uint8Array>): SelectKernel {
  return (out, condition, a, b, n, so, sc, sa, sb) => {
    const x = view();
    const chosen = conditions.view();
    const to = out >>> shift;
    const left = a >>> shift;
    const right = b >>> shift;
    for (let i = 0; i < n; i++)
      x[to + i * so] = (chosen[condition + i * sc] !== 0 ? x[left + i * sa] : x[right + i * sb]) as number;
  };
}

/** out = whether the two stand in a relation. */
export function compare(
  { view, shift }: Lens<AnyArray>,
  results: Lens<Uint8Array>,
  holds: (a: number, b: number) => boolean,
): BinaryKernel {
  return (out, a, b, n, so, sa, sb) => {
    const x = view();
    const y = results.view();
    const left = a >>> shift;
    const right = b >>> shift;
    for (let i = 0; i < n; i++)
      y[out + i * so] = holds(x[left + i * sa] as number, x[right + i * sb] as number) ? 1 : 0;
  };
}
