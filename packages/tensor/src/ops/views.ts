/** Views: other shapes, orders and parts of the same memory (docs/spec/tensor.md, T6). */
import {
  BadAxisError,
  BadLayoutError,
  BadOptionError,
  BadShapeError,
  ShapeMismatchError,
  shapeText,
} from "../errors.ts";
import type { Handle } from "../handle.ts";
import { axesOf, axisOf, sizeOfShape, stridesOf } from "../shape.ts";
import { copy } from "./copies.ts";

/** A range of one axis: from, up to but without `to`, every `step`th; negative places count from the end, a negative step goes backwards. */
export interface Range {
  readonly from?: number;
  readonly to?: number;
  readonly step?: number;
}

/** What `slice` takes for one axis: a place, which removes the axis, a range, or nothing for all of it. */
export type Part = number | Range | undefined;

/** The same elements in row-major order under another shape; one -1 is worked out. A view where strides allow, else a copy. */
export function reshape<T extends Handle>(a: T, wanted: readonly number[]): T {
  const shape = completed(a, wanted);
  const strides = a.contiguous ? stridesOf(shape) : restrided(a, shape);
  if (strides !== undefined) return a.view(shape, strides, 0);
  const copied = copy(a);
  try {
    return copied.view(shape, stridesOf(shape), 0);
  } finally {
    copied.free();
  }
}

function completed(a: Handle, wanted: readonly number[]): readonly number[] {
  const open = wanted.indexOf(-1);
  const known = sizeOfShape(
    "reshape",
    wanted.filter((_, axis) => axis !== open),
  );
  const missing = known === 0 ? 0 : a.size / known;
  const shape = open < 0 ? wanted : wanted.map((length, axis) => (axis === open ? missing : length));
  if (open >= 0 && !Number.isInteger(missing))
    throw new ShapeMismatchError("reshape", a.shape, wanted, "hold different numbers of elements");
  if (sizeOfShape("reshape", shape) !== a.size)
    throw new ShapeMismatchError("reshape", a.shape, wanted, "hold different numbers of elements");
  return shape;
}

/** Strides for a new shape of a tensor that is not contiguous, or undefined: groups of old and new dimensions of one size must match. */
function restrided(a: Handle, shape: readonly number[]): number[] | undefined {
  if (a.size === 0) return stridesOf(shape);
  const old = a.shape
    .map((length, axis) => ({ length, stride: a.strides[axis] as number }))
    .filter(({ length }) => length !== 1);
  const strides = new Array<number>(shape.length).fill(0);
  let at = old.length - 1;
  let left = old[at]?.length ?? 1;
  let step = old[at]?.stride ?? 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] as number;
    if (length === 1) continue;
    if (left === 1) {
      at -= 1;
      left = old[at]?.length ?? 1;
      step = old[at]?.stride ?? 1;
    }
    while (left % length !== 0) {
      const outer = old[at - 1];
      if (outer === undefined || outer.stride !== step * left) return undefined;
      at -= 1;
      left *= outer.length;
    }
    strides[axis] = step;
    step *= length;
    left /= length;
  }
  return strides;
}

/** The axes in another order; all reversed when none is given. */
export function transpose<T extends Handle>(a: T, order?: readonly number[]): T {
  const axes = order ?? a.shape.map((_, axis) => a.rank - 1 - axis);
  const named = axesOf("transpose", axes, a.rank);
  if (named.length !== a.rank)
    throw new BadShapeError("transpose", `${shapeText(axes)} names ${named.length} of ${a.rank} axes`);
  const from = axes.map((axis) => axisOf("transpose", axis, a.rank));
  return a.view(
    from.map((axis) => a.shape[axis] as number),
    from.map((axis) => a.strides[axis] as number),
    0,
  );
}

/** A part of the tensor; axes that are not named are taken whole. */
export function slice<T extends Handle>(a: T, parts: readonly Part[]): T {
  if (parts.length > a.rank) throw new BadAxisError("slice", parts.length - 1, a.rank);
  const shape: number[] = [];
  const strides: number[] = [];
  let offset = 0;
  for (const [axis, length] of a.shape.entries()) {
    const stride = a.strides[axis] as number;
    const part = parts[axis];
    if (typeof part === "number") {
      offset += placeIn(axis, part, length) * stride;
      continue;
    }
    const { first, count, step } = rangeIn(axis, part ?? {}, length);
    if (count > 0) offset += first * stride;
    shape.push(count);
    strides.push(stride * step);
  }
  return a.view(shape, strides, shape.includes(0) ? 0 : offset);
}

function placeIn(axis: number, place: number, length: number): number {
  const at = place < 0 ? place + length : place;
  if (!Number.isInteger(at) || at < 0 || at >= length)
    throw new BadOptionError(
      "slice",
      `the place on axis ${axis}`,
      place,
      `a whole number from ${-length} to ${length - 1}`,
    );
  return at;
}

function rangeIn(
  axis: number,
  { from, to, step = 1 }: Range,
  length: number,
): { first: number; count: number; step: number } {
  for (const [name, value] of [
    ["from", from],
    ["to", to],
    ["step", step],
  ] as const)
    if (value !== undefined && !Number.isSafeInteger(value))
      throw new BadOptionError("slice", `${name} on axis ${axis}`, value, "a whole number");
  if (step === 0)
    throw new BadOptionError("slice", `step on axis ${axis}`, step, "a whole number other than 0");
  const least = step > 0 ? 0 : -1;
  const most = step > 0 ? length : length - 1;
  const clamp = (value: number) => Math.min(most, Math.max(least, value < 0 ? value + length : value));
  const first = from === undefined ? (step > 0 ? 0 : length - 1) : clamp(from);
  const end = to === undefined ? (step > 0 ? length : -1) : clamp(to);
  return { first, count: Math.max(0, Math.ceil((end - first) / step)), step };
}

/** The tensor repeated to a shape, without copying. @throws ShapeMismatchError */
export function broadcastTo<T extends Handle>(a: T, shape: readonly number[]): T {
  sizeOfShape("broadcastTo", shape);
  const missing = shape.length - a.rank;
  const fits = a.shape.every((length, axis) => length === 1 || length === shape[axis + missing]);
  if (missing < 0 || !fits)
    throw new ShapeMismatchError(
      "broadcastTo",
      a.shape,
      shape,
      ": the first cannot be broadcast to the second",
    );
  const strides = shape.map((length, axis) => {
    const own = axis - missing;
    return own < 0 || (a.shape[own] === 1 && length !== 1) ? 0 : (a.strides[own] as number);
  });
  return a.view([...shape], strides, 0);
}

/** A new axis of size 1 before `axis`, which counts in the result. */
export function unsqueeze<T extends Handle>(a: T, axis: number): T {
  const at = axisOf("unsqueeze", axis, a.rank + 1);
  const shape = a.shape.toSpliced(at, 0, 1);
  sizeOfShape("unsqueeze", shape);
  return a.view(shape, a.strides.toSpliced(at, 0, 0), 0);
}

/** Without the named axes, which must be of size 1; without all such axes when none is named. */
export function squeeze<T extends Handle>(a: T, axes?: number | readonly number[]): T {
  const gone =
    axes === undefined
      ? a.shape.flatMap((length, axis) => (length === 1 ? [axis] : []))
      : axesOf("squeeze", axes, a.rank);
  const thick = gone.find((axis) => a.shape[axis] !== 1);
  if (thick !== undefined)
    throw new BadLayoutError("squeeze", `axis ${thick} has ${a.shape[thick]} elements, not 1`);
  return a.view(
    a.shape.filter((_, axis) => !gone.includes(axis)),
    a.strides.filter((_, axis) => !gone.includes(axis)),
    0,
  );
}
