/** Arithmetic of shapes: sizes, strides, broadcasting, axes (docs/spec/tensor.md, T1, T4, T5). */
import { BYTES, type DType } from "./dtype.ts";
import { BadAxisError, BadShapeError, ShapeMismatchError, shapeText, TooLargeError } from "./errors.ts";
import { MOST_BYTES } from "./memory/heap.ts";

/** Most dimensions of a tensor. */
export const MOST_DIMENSIONS = 8;

/** Most elements of a tensor: what an i32 index can name. */
export const MOST_ELEMENTS: number = 2 ** 31 - 1;

/** The number of elements of a shape. @throws BadShapeError, TooLargeError */
export function sizeOfShape(operation: string, shape: readonly number[]): number {
  if (!Array.isArray(shape)) throw new BadShapeError(operation, `${String(shape)} is no list of lengths`);
  if (shape.length > MOST_DIMENSIONS)
    throw new BadShapeError(operation, `${shape.length} dimensions; at most ${MOST_DIMENSIONS} are possible`);
  let size = 1;
  let longest = 1;
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0)
      throw new BadShapeError(
        operation,
        `${shapeText(shape)} is no shape: ${String(length)} is no whole number from 0`,
      );
    size *= length;
    longest = Math.max(longest, length);
  }
  if (size > MOST_ELEMENTS || longest > MOST_ELEMENTS)
    throw new TooLargeError(
      operation,
      `a tensor of shape ${shapeText(shape)} has more than ${MOST_ELEMENTS} elements`,
    );
  return size;
}

/** The bytes of so many elements. @throws TooLargeError */
export function bytesOf(operation: string, dtype: DType, size: number): number {
  const bytes = size * BYTES[dtype];
  if (bytes > MOST_BYTES)
    throw new TooLargeError(
      operation,
      `${size} elements of ${dtype} are ${bytes} bytes, more than ${MOST_BYTES}`,
    );
  return bytes;
}

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] as number;
  }
  return strides;
}

/** Whether elements lie one after the other in row-major order. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] as number;
    if (length === 0) return true;
    if (length !== 1 && strides[axis] !== step) return false;
    step *= length;
  }
  return true;
}

/** Whether two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** The shape both broadcast to. @throws ShapeMismatchError */
export function broadcastShapes(operation: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let back = 1; back <= rank; back++) {
    const one = a[a.length - back] ?? 1;
    const other = b[b.length - back] ?? 1;
    if (one !== other && one !== 1 && other !== 1)
      throw new ShapeMismatchError(operation, a, b, `cannot be broadcast: ${one} against ${other}`);
    shape[rank - back] = one === 1 ? other : one;
  }
  return shape;
}

/** The axis counted from 0. @throws BadAxisError */
export function axisOf(operation: string, axis: number, rank: number): number {
  const from = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || from < 0 || from >= rank) throw new BadAxisError(operation, axis, rank);
  return from;
}

/** The axes counted from 0, ascending; undefined means all. @throws BadAxisError */
export function axesOf(
  operation: string,
  axes: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = (typeof axes === "number" ? [axes] : axes).map((axis) => axisOf(operation, axis, rank));
  list.sort((a, b) => a - b);
  const twice = list.find((axis, index) => index > 0 && list[index - 1] === axis);
  if (twice !== undefined) throw new BadAxisError(operation, twice, rank, "is named twice");
  return list;
}
