/**
 * Reductions over any axes.
 *
 * R1. The reduced axes are walked as one, in row-major order: several at once where strides allow, else over a copy (docs/spec/tensor.md, N5).
 * R2. The kernel gets all rows that lie evenly in one call.
 */
import type { ReduceKernel } from "../backend.ts";
import { BYTES, type DType } from "../dtype.ts";
import { EmptyError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { axesOf } from "../shape.ts";
import { walk } from "../walk.ts";
import { copy } from "./copies.ts";
import { kernelFor, type Table } from "./elementwise.ts";
import { requireApart, resultFor } from "./result.ts";

/** Over which axes, and whether they stay as size 1. */
export interface Over {
  /** One axis, several, or all when absent; negative ones count from the end. */
  readonly axis?: number | readonly number[];
  readonly keepDims?: boolean;
}

/** What a reduction does besides its kernel. */
export interface Reduction {
  readonly name: string;
  /** The dtype of its result; that of the operand when absent. */
  readonly dtype?: DType;
  /** Fewest elements it has a value for. Default 0. */
  readonly least?: number;
}

/** Reduce. @throws BadAxisError, WrongDTypeError, EmptyError and what results throw */
export function reduce<T extends Handle>(
  { name, dtype, least = 0 }: Reduction,
  table: Table<ReduceKernel>,
  a: T,
  { axis, keepDims = false }: Over = {},
  out?: T,
): T {
  const kernel = kernelFor(name, table, a.dtype);
  const axes = axesOf(name, axis, a.rank);
  const kept = a.shape.flatMap((_, index) => (axes.includes(index) ? [] : [index]));
  const n = axes.reduce((product, index) => product * (a.shape[index] as number), 1);
  a.at;
  if (n < least && kept.every((index) => a.shape[index] !== 0)) throw new EmptyError(name, a.shape, least);
  const shape = keepDims
    ? a.shape.map((length, index) => (axes.includes(index) ? 1 : length))
    : kept.map((index) => a.shape[index] as number);
  const result = resultFor(name, a, dtype ?? a.dtype, shape, out);
  if (out !== undefined) requireApart(name, out, a);
  rowsOf(a, kept, axes, (source, stride) => {
    const results = keepDims ? kept : kept.map((_, index) => index);
    const lengths = kept.map((index) => a.shape[index] as number);
    walk
      .over(lengths)
      .strided(
        result.at,
        BYTES[result.dtype],
        lengths,
        results.map((index) => result.strides[index] as number),
      )
      .strided(
        source.at,
        BYTES[a.dtype],
        lengths,
        kept.map((index) => source.strides[index] as number),
      );
    if (!walk.begin()) return;
    do
      kernel(
        walk.at[0] as number,
        walk.at[1] as number,
        walk.n,
        n,
        walk.stride[0] as number,
        walk.stride[1] as number,
        stride,
      );
    while (walk.next());
  });
  return result;
}

/** Gives `use` a tensor of the same shape whose reduced axes have one stride, and that stride. */
function rowsOf<T extends Handle>(
  a: T,
  kept: readonly number[],
  axes: readonly number[],
  use: (source: T, stride: number) => void,
): void {
  const stride = jointStride(a, axes);
  if (stride !== undefined) {
    use(a, stride);
    return;
  }
  const order = [...kept, ...axes];
  const moved = a.view(
    order.map((index) => a.shape[index] as number),
    order.map((index) => a.strides[index] as number),
    0,
  );
  const copied = copy(moved);
  const back = a.shape.map((_, index) => order.indexOf(index));
  const source = copied.view(
    a.shape,
    back.map((index) => copied.strides[index] as number),
    0,
  );
  try {
    use(source, 1);
  } finally {
    for (const one of [moved, copied, source]) one.free();
  }
}

/** The stride that walks several axes as one, or undefined. */
function jointStride(a: Handle, axes: readonly number[]): number | undefined {
  const long = axes.filter((axis) => a.shape[axis] !== 1);
  for (let index = 0; index + 1 < long.length; index++) {
    const inner = long[index + 1] as number;
    if (a.strides[long[index] as number] !== (a.strides[inner] as number) * (a.shape[inner] as number))
      return undefined;
  }
  const last = long.at(-1);
  return last === undefined ? 1 : a.strides[last];
}

/** The population variance, or the sample's with `ddof` 1: the sum of squared deviations over n - ddof. */
export function variance<T extends Handle>(a: T, over: Over & { readonly ddof?: number } = {}, out?: T): T {
  const { ddof = 0 } = over;
  const kernels = a.space.backend.kernels.variance;
  const withDdof =
    (kernel: typeof kernels.f32): ReduceKernel =>
    (...args) =>
      kernel(...args, ddof);
  const table = { f32: withDdof(kernels.f32), f64: withDdof(kernels.f64) };
  return reduce({ name: "variance", least: ddof + 1 }, table, a, over, out);
}
