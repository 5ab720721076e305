/** What the claims of the contract share: lengths, strides, operands in both memories, bounds. */
import type { DType } from "../dtype.ts";
import type { Tolerance, TwinMemory } from "./twin-memory.ts";

/** Lengths around the widths of vectors. */
export const LENGTHS: readonly number[] = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 130, 1000,
];
/** Lengths around the blocks of sums. */
export const LONG: readonly number[] = [4095, 4096, 4097, 8200];

/** Strides of out and operands: contiguous, a number or row that is repeated, every second or third element, backwards. */
export const STRIDES = [
  [1, 1, 1],
  [1, 1, 0],
  [1, 0, 1],
  [2, 1, 3],
  [1, 2, 1],
  [1, -1, 1],
] as const;

/** One claim: runs kernels of both backends and compares. `near` gives the tolerance that counts, none for an exact backend. */
export type Check = (twins: TwinMemory, near: (tolerance: Tolerance) => Tolerance) => void;

/** Elements from the first to the last of n with a stride, and where the first is among them. */
export function span(n: number, stride: number): { count: number; first: number } {
  const reach = Math.max(0, n - 1) * Math.abs(stride);
  return { count: n === 0 ? 0 : reach + 1, first: stride < 0 ? reach : 0 };
}

/** Random elements for a stride; the offset of the first of them. */
export function operand(twins: TwinMemory, dtype: DType, n: number, stride: number, special = true): number {
  const { count, first } = span(n, stride);
  return twins.random(dtype, count, special) + first * bytesOf(dtype);
}

function bytesOf(dtype: DType): number {
  return dtype === "f64" ? 8 : dtype === "f32" || dtype === "i32" ? 4 : 1;
}

/** Every length, and the shorter ones with every kind of stride. */
export function eachRun(run: (n: number, so: number, sa: number, sb: number) => void): void {
  for (const n of [...LENGTHS, ...LONG]) run(n, 1, 1, 1);
  for (const n of LENGTHS) for (const [so, sa, sb] of STRIDES) run(n, so, sa, sb);
}

/** Rows, length, and the strides of out, rows and elements. */
export function eachReduction(
  run: (rows: number, n: number, so: number, sr: number, sa: number) => void,
  least = 0,
): void {
  for (const n of [...LENGTHS, ...LONG]) if (n >= least) run(1, n, 1, n, 1);
  for (const n of [1, 3, 8, 17, 65]) {
    for (const rows of [0, 2, 5]) run(rows, n, 1, n, 1);
    run(7, n, 2, n + 3, 1);
    run(5, n, 1, 1, 5);
    run(17, n, 1, 1, 17);
    run(3, n, 1, 2 * n, 2);
  }
}

/** The greatest magnitude of finite values. */
export function greatest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i] as number);
    if (Number.isFinite(size)) most = Math.max(most, size);
  }
  return most;
}

/** The bound of N5: (4096/L + 8) u of the sum of magnitudes, twice because the reference has an error too. */
export const summed = (dtype: DType, _value: number, magnitude: number): number =>
  2 * (dtype === "f32" ? 264 * 2 ** -24 : 520 * 2 ** -53) * magnitude;

/** The dtype of a sum. */
export const toI32 = (dtype: DType): DType => (dtype === "f32" || dtype === "f64" ? dtype : "i32");
