/** Nested arrays of JavaScript as flat values with a shape, and back. */
import { BadShapeError } from "./errors.ts";

/** A value of an element. */
export type Scalar = number | boolean;

/** Nested arrays of values, all of one length at each depth. */
export type Nested = Scalar | readonly Nested[];

/** The shape of nested arrays, from the first entry at each depth. */
export function shapeOfNested(values: Nested): number[] {
  const shape: number[] = [];
  let at: Nested = values;
  while (Array.isArray(at)) {
    shape.push(at.length);
    if (at.length === 0) break;
    at = at[0] as Nested;
  }
  return shape;
}

/** Give the values of nested arrays to `write` in row-major order. @throws BadShapeError when they are ragged or hold anything but numbers and booleans */
export function flatten(
  values: Nested,
  shape: readonly number[],
  write: (value: number, index: number) => void,
): void {
  let at = 0;
  const visit = (value: Nested, depth: number): void => {
    if (depth === shape.length) {
      if (typeof value !== "number" && typeof value !== "boolean")
        throw new BadShapeError(
          "from",
          `element ${at} is ${Array.isArray(value) ? "an array" : typeof value}, not a number`,
        );
      write(Number(value), at++);
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[depth])
      throw new BadShapeError(
        "from",
        `the arrays are ragged: ${shape[depth]} entries are expected at depth ${depth}`,
      );
    for (const entry of value as readonly Nested[]) visit(entry, depth + 1);
  };
  visit(values, 0);
}

/** Nested arrays of a shape from flat values. */
export function nest(values: ArrayLike<number>, shape: readonly number[], bool: boolean): Nested {
  let at = 0;
  const build = (depth: number): Nested => {
    if (depth === shape.length) {
      const value = values[at++] as number;
      return bool ? value !== 0 : value;
    }
    return Array.from({ length: shape[depth] as number }, () => build(depth + 1));
  };
  return build(0);
}
