/** Copies: as they are, into another dtype, from one of two sources, or full of one value. */
import type { DType } from "../dtype.ts";
import { WrongDTypeError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { broadcastShapes } from "../shape.ts";
import { walk } from "../walk.ts";
import { unary } from "./elementwise.ts";
import { requireInPlaceOrApart, requireSameSpace, resultFor } from "./result.ts";

/** The elements in new memory, in row-major order, or in `out`. */
export function copy<T extends Handle>(a: T, out?: T): T {
  return unary("copy", a.space.backend.kernels.copy, a, out);
}

/** The elements in row-major order: the tensor itself where it lies so, a copy elsewhere, which the caller frees. */
export function contiguous<T extends Handle>(a: T): T {
  return a.contiguous ? a : copy(a);
}

/** The elements in another dtype (docs/spec/tensor.md, N9). */
export function cast<T extends Handle>(a: T, dtype: DType, out?: T): T {
  const kernels = a.space.backend.kernels.cast[a.dtype];
  if (kernels?.[dtype] === undefined) throw new WrongDTypeError("cast", dtype, Object.keys(kernels));
  if (out === undefined || dtype === a.dtype || out.block !== a.block)
    return unary("cast", { [a.dtype]: kernels[dtype] }, a, out, dtype);
  // A cast over its own bytes would read what it has written: elements differ in width.
  const apart = unary("cast", { [a.dtype]: kernels[dtype] }, a, undefined, dtype);
  try {
    return copy(apart, out);
  } finally {
    apart.free();
  }
}

/** Every element becomes `value`, rounded or wrapped to the dtype. */
export function fill<T extends Handle>(out: T, value: number): T {
  const kernel = out.space.backend.kernels.fill[out.dtype];
  if (out.contiguous) {
    kernel(out.at, value, out.size, 1);
    return out;
  }
  if (walk.over(out.shape).operand(out).begin())
    do kernel(walk.at[0] as number, value, walk.n, walk.stride[0] as number);
    while (walk.next());
  return out;
}

/** Elements of `a` where `condition` (bool) is true, of `b` elsewhere; all three are broadcast. */
export function select<T extends Handle>(condition: T, a: T, b: T, out?: T): T {
  if (condition.dtype !== "bool") throw new WrongDTypeError("select, condition", condition.dtype, ["bool"]);
  if (a.dtype !== b.dtype) throw new WrongDTypeError("select, second operand", b.dtype, [a.dtype]);
  requireSameSpace("select", condition, a);
  requireSameSpace("select", a, b);
  const kernel = a.space.backend.kernels.select[a.dtype];
  const shape = broadcastShapes("select", broadcastShapes("select", a.shape, b.shape), condition.shape);
  for (const operand of [condition, a, b]) operand.at;
  const result = resultFor("select", a, a.dtype, shape, out);
  if (out !== undefined)
    for (const operand of [condition, a, b]) requireInPlaceOrApart("select", out, operand);
  const { at, stride } = walk;
  if (walk.over(shape).operand(result).operand(condition).operand(a).operand(b).begin())
    do
      kernel(
        ...([at[0], at[1], at[2], at[3]] as [number, number, number, number]),
        walk.n,
        ...([stride[0], stride[1], stride[2], stride[3]] as [number, number, number, number]),
      );
    while (walk.next());
  return result;
}

/** y += alpha x, in place; the product is rounded first. Shapes are broadcast to that of `y`. */
export function addScaled<T extends Handle>(y: T, x: T, alpha: number): T {
  const kernel = y.space.backend.kernels.axpy[y.dtype as "f32"];
  if (kernel === undefined) throw new WrongDTypeError("addScaled", y.dtype, ["f32", "f64"]);
  if (x.dtype !== y.dtype) throw new WrongDTypeError("addScaled, second operand", x.dtype, [y.dtype]);
  resultFor("addScaled", x, y.dtype, broadcastShapes("addScaled", y.shape, x.shape), y);
  requireInPlaceOrApart("addScaled", y, x);
  if (y.contiguous && x.contiguous && x.size === y.size) {
    kernel(y.at, x.at, alpha, y.size, 1, 1);
    return y;
  }
  const { at, stride } = walk;
  if (walk.over(y.shape).operand(y).operand(x).begin())
    do kernel(at[0] as number, at[1] as number, alpha, walk.n, stride[0] as number, stride[1] as number);
    while (walk.next());
  return y;
}
