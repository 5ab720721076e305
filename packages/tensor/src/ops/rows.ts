/** Operations on whole rows along one axis: softmax, the norms of neural networks, the greatest k, similarity. */
import type { NormKernel, RowKernel } from "../backend.ts";
import type { DType } from "../dtype.ts";
import { BadOptionError, EmptyError, ShapeMismatchError, WrongDTypeError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { axisOf, sameShape } from "../shape.ts";
import { contiguous, copy } from "./copies.ts";
import { kernelFor } from "./elementwise.ts";
import { requireInPlaceOrApart, requireSameSpace, resultFor } from "./result.ts";
import { transpose } from "./views.ts";

/** exp(x - max) over its sum, along one axis, by default the last. */
export function softmax<T extends Handle>(a: T, axis = -1, out?: T): T {
  const kernel = kernelFor("softmax", a.space.backend.kernels.softmax, a.dtype);
  return alongAxis("softmax", a, axis, out, kernel);
}

/** What the norms take besides the tensor: gain and shift as one-dimensional tensors of the last axis's length. */
export interface NormOptions<T> {
  readonly gain?: T;
  readonly shift?: T;
  /** Added under the root; from 0. Default 1e-5. */
  readonly epsilon?: number;
}

/** Rows of mean 0 and variance 1 along the last axis, times a gain, plus a shift (Ba, Kiros and Hinton 2016). */
export function layerNorm<T extends Handle>(a: T, options: NormOptions<T> = {}, out?: T): T {
  return normed("layerNorm", a.space.backend.kernels.layerNorm, a, options, out);
}

/** Rows over the root of their mean square along the last axis, times a gain (Zhang and Sennrich 2019). */
export function rmsNorm<T extends Handle>(a: T, options: NormOptions<T> = {}, out?: T): T {
  return normed("rmsNorm", a.space.backend.kernels.rmsNorm, a, options, out);
}

function normed<T extends Handle>(
  operation: string,
  table: { readonly f32: NormKernel; readonly f64: NormKernel },
  a: T,
  { gain, shift, epsilon = 1e-5 }: NormOptions<T>,
  out: T | undefined,
): T {
  const kernel = kernelFor(operation, table, a.dtype);
  if (!(epsilon >= 0 && epsilon < Number.POSITIVE_INFINITY))
    throw new BadOptionError(operation, "epsilon", epsilon, "a number from 0");
  const length = a.shape.at(-1);
  const extras = [gain, shift].map((one) => {
    if (one === undefined) return undefined;
    if (one.dtype !== a.dtype) throw new WrongDTypeError(`${operation}, gain or shift`, one.dtype, [a.dtype]);
    if (!sameShape(one.shape, [length ?? 1])) throw new ShapeMismatchError(operation, a.shape, one.shape);
    requireSameSpace(operation, a, one);
    return contiguous(one);
  });
  const [first, second] = extras;
  try {
    return alongAxis(operation, a, -1, out, (to, from, rows, n) =>
      kernel(to, from, first?.at ?? 0, second?.at ?? 0, rows, n, epsilon),
    );
  } finally {
    for (const [index, one] of extras.entries())
      if (one !== undefined && one !== [gain, shift][index]) one.free();
  }
}

/** Run a kernel over contiguous rows, for an axis that may be anywhere, into a result that may lie anyhow. */
function alongAxis<T extends Handle>(
  operation: string,
  a: T,
  axis: number,
  out: T | undefined,
  kernel: RowKernel,
): T {
  const along = axisOf(operation, axis, a.rank);
  const n = a.shape[along] as number;
  a.at;
  if (n === 0 && a.shape.every((length, index) => index === along || length > 0))
    throw new EmptyError(operation, a.shape, 1);
  const result = resultFor(operation, a, a.dtype, a.shape, out);
  if (out !== undefined) requireInPlaceOrApart(operation, out, a);
  if (a.size === 0) return result;
  if (along === a.rank - 1 && a.contiguous && result.contiguous) {
    kernel(result.at, a.at, a.size / n, n);
    return result;
  }
  const order = a.shape.map((_, index) => index).filter((index) => index !== along);
  const moved = transpose(a, [...order, along]);
  const rows = copy(moved);
  const target = transpose(result, [...order, along]);
  try {
    kernel(rows.at, rows.at, a.size / n, n);
    copy(rows, target);
  } finally {
    for (const one of [moved, rows, target]) one.free();
  }
  return result;
}

/** The greatest of each row and where they are. */
export interface Greatest<T> {
  readonly values: T;
  /** i32, along the axis. */
  readonly indices: T;
}

/** Where `topK` writes, when not into new tensors. */
export type GreatestOut<T> = Partial<Greatest<T>>;

/** The k greatest along the last axis, greatest first (docs/spec/tensor.md, N10). */
export function topK<T extends Handle>(a: T, k: number, out: GreatestOut<T> = {}): Greatest<T> {
  const kernel = kernelFor("topK", a.space.backend.kernels.topK, a.dtype);
  const n = a.shape[axisOf("topK", -1, a.rank)] as number;
  if (!Number.isInteger(k) || k < 1 || k > n)
    throw new BadOptionError("topK", "k", k, `a whole number from 1 to ${n}, the length of the last axis`);
  a.at;
  const shape = [...a.shape.slice(0, -1), k];
  const source = contiguous(a);
  const values = place("topK", a, a.dtype, shape, out.values);
  const indices = place("topK", a, "i32", shape, out.indices);
  try {
    if (a.size > 0) kernel(values.at, indices.at, source.at, a.size / n, n, n, 1, k);
    return { values: settle(values, out.values), indices: settle(indices, out.indices) };
  } finally {
    if (source !== a) source.free();
  }
}

/** A contiguous place for a result. */
function place<T extends Handle>(
  operation: string,
  a: T,
  dtype: DType,
  shape: readonly number[],
  out: T | undefined,
): T {
  const result = resultFor(operation, a, dtype, shape, out);
  if (out !== undefined) requireInPlaceOrApart(operation, out, a);
  return result.contiguous ? result : a.fresh(operation, dtype, shape);
}

/** Copy what lies in a place to the out-parameter it stands for. */
function settle<T extends Handle>(placed: T, out: T | undefined): T {
  if (out === undefined || placed === out) return placed;
  copy(placed, out);
  placed.free();
  return out;
}
