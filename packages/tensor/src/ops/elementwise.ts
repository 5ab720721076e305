/**
 * Operations on elements: one or two operands, broadcast, into a new tensor or an out-parameter.
 *
 * E1. Where all operands are contiguous and of one shape there is one kernel call and, with an out-parameter, no allocation.
 * E2. Nothing is written before everything is checked.
 */
import type { BinaryKernel, UnaryKernel } from "../backend.ts";
import { BYTES, type DType } from "../dtype.ts";
import { WrongDTypeError } from "../errors.ts";
import { Handle } from "../handle.ts";
import { broadcastShapes, sameShape } from "../shape.ts";
import { walk } from "../walk.ts";
import { requireInPlaceOrApart, requireSameSpace, resultFor } from "./result.ts";

/** Kernels by dtype; those it does not exist for are absent. */
export type Table<Kernel> = Readonly<Partial<Record<DType, Kernel>>>;

/** The kernel for a dtype. @throws WrongDTypeError */
export function kernelFor<Kernel>(operation: string, table: Table<Kernel>, dtype: DType): Kernel {
  const kernel = table[dtype];
  if (kernel === undefined) throw new WrongDTypeError(operation, dtype, Object.keys(table));
  return kernel;
}

/** f of every element. */
export function unary<T extends Handle>(
  operation: string,
  table: Table<UnaryKernel>,
  a: T,
  out?: T,
  dtype: DType = a.dtype,
): T {
  const kernel = kernelFor(operation, table, a.dtype);
  const from = a.at;
  const result = resultFor(operation, a, dtype, a.shape, out);
  if (out !== undefined) requireInPlaceOrApart(operation, out, a);
  if (a.contiguous && result.contiguous) {
    kernel(result.at, from, a.size, 1, 1);
    return result;
  }
  if (walk.over(a.shape).operand(result).operand(a).begin())
    do
      kernel(
        walk.at[0] as number,
        walk.at[1] as number,
        walk.n,
        walk.stride[0] as number,
        walk.stride[1] as number,
      );
    while (walk.next());
  return result;
}

/** f of every pair of elements; a number stands for a tensor full of it. `dtype` is the result's where it is not the operands'. */
export function binary<T extends Handle>(
  operation: string,
  table: Table<BinaryKernel>,
  a: T,
  b: T | number,
  out?: T,
  dtype: DType = a.dtype,
): T {
  const kernel = kernelFor(operation, table, a.dtype);
  if (
    out !== undefined &&
    b instanceof Handle &&
    a.dtype === b.dtype &&
    out.dtype === dtype &&
    aligned(a, b, out)
  ) {
    kernel(out.at, a.at, b.at, a.size, 1, 1, 1);
    return out;
  }
  if (typeof b === "number") return withNumber(operation, kernel, a, b, dtype, out);
  if (!(b instanceof Handle))
    throw new WrongDTypeError(`${operation}, second operand`, typeof b, ["a tensor", "a number"]);
  if (b.dtype !== a.dtype) throw new WrongDTypeError(`${operation}, second operand`, b.dtype, [a.dtype]);
  requireSameSpace(operation, a, b);
  const left = a.at;
  const right = b.at;
  const alike = sameShape(a.shape, b.shape);
  const shape = alike ? a.shape : broadcastShapes(operation, a.shape, b.shape);
  const result = resultFor(operation, a, dtype, shape, out);
  if (out !== undefined) {
    requireInPlaceOrApart(operation, out, a);
    requireInPlaceOrApart(operation, out, b);
  }
  if (alike && a.contiguous && b.contiguous && result.contiguous) {
    kernel(result.at, left, right, a.size, 1, 1, 1);
    return result;
  }
  if (walk.over(shape).operand(result).operand(a).operand(b).begin()) runBinary(kernel);
  return result;
}

/** Whether three handles of one space and shape lie in row-major order, each the same as or apart from the last: the path of hot loops. */
function aligned(a: Handle, b: Handle, out: Handle): boolean {
  if (!a.contiguous || !b.contiguous || !out.contiguous || a.space !== b.space || a.space !== out.space)
    return false;
  if (!sameShape(a.shape, b.shape) || !sameShape(a.shape, out.shape)) return false;
  const bytes = a.size * BYTES[a.dtype];
  const written = a.size * BYTES[out.dtype];
  return sameOrApart(out.at, written, a.at, bytes) && sameOrApart(out.at, written, b.at, bytes);
}

/** One range of bytes, or two that share none. */
function sameOrApart(to: number, written: number, from: number, bytes: number): boolean {
  return (to === from && written === bytes) || to + written <= from || from + bytes <= to;
}

function withNumber<T extends Handle>(
  operation: string,
  kernel: BinaryKernel,
  a: T,
  b: number,
  dtype: DType,
  out: T | undefined,
): T {
  const left = a.at;
  const result = resultFor(operation, a, dtype, a.shape, out);
  if (out !== undefined) requireInPlaceOrApart(operation, out, a);
  const right = placeNumber(a, b);
  if (a.contiguous && result.contiguous) {
    kernel(result.at, left, right, a.size, 1, 1, 0);
    return result;
  }
  if (walk.over(a.shape).operand(result).operand(a).strided(right, BYTES[a.dtype], [], []).begin())
    runBinary(kernel);
  return result;
}

function runBinary(kernel: BinaryKernel): void {
  const { at, stride } = walk;
  do
    kernel(
      at[0] as number,
      at[1] as number,
      at[2] as number,
      walk.n,
      stride[0] as number,
      stride[1] as number,
      stride[2] as number,
    );
  while (walk.next());
}

/** Write a number, in the dtype of a tensor, to the cell of its space; the offset. */
export function placeNumber({ space, dtype }: Handle, value: number): number {
  const { memory } = space.backend;
  memory[dtype === "bool" ? "u8" : dtype][space.cell / BYTES[dtype]] = value;
  return space.cell;
}
