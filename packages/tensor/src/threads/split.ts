/**
 * How a kernel call is cut into parts that may run at the same time.
 *
 * SP1. Parts write apart from each other, and every element is computed as in the whole call: the bits do not depend on the cut.
 * SP2. A call with less work than waking a thread costs is not cut.
 */
import type { AnyKernel } from "../wasm/kernel-exports.ts";
import { PARTS_MOST } from "./job.ts";

/** The arguments of each part; one part is not worth cutting. */
export type Split = (numbers: readonly number[], threads: number) => readonly (readonly number[])[];

/** Operations, roughly, that take as long as handing a part to a thread. */
const WORTH = 200_000;
/** Operations of a product from which on packing an operand more often costs less than waiting for the slower of two threads. */
const LONG = 2 ** 29;

/** Cuts `count` into at most `parts` ranges whose ends are multiples of `unit`. */
function ranges(
  count: number,
  parts: number,
  unit: number,
): readonly (readonly [first: number, count: number])[] {
  const units = Math.ceil(count / unit);
  const most = Math.max(1, Math.min(parts, units, PARTS_MOST));
  return Array.from({ length: most }, (_, part) => {
    const first = Math.floor((units * part) / most) * unit;
    return [first, Math.min(count, Math.floor((units * (part + 1)) / most) * unit) - first] as const;
  });
}

/** Enough parts that an unlucky thread does not hold up all others, few enough that each is worth its while. */
function partsFor(work: number, threads: number): number {
  if (work < 2 * WORTH) return 1;
  return Math.min(2 * threads, Math.floor(work / WORTH));
}

/** Products: a grid of ranges of rows and columns, in whole tiles of either kind. */
export function splitProduct(bytes: number, bytesOut: number): Split {
  return (numbers, threads) => {
    const [out = 0, a = 0, b = 0, m = 0, n = 0, k = 0, or = 0, ar = 0, ac = 0, br = 0, bc = 0] = numbers;
    const work = m * n * k;
    const parts = work < LONG ? partsFor(work, threads) : Math.min(4 * threads, PARTS_MOST);
    const columnParts = columnPartsOf(m, n, parts);
    const rowRanges = ranges(m, parts / columnParts, 6);
    return ranges(n, columnParts, 8).flatMap(([j, columns]) =>
      rowRanges.map(([i, rows]) => [
        ...[out + (i * or + j) * bytesOut, a + i * ar * bytes, b + j * bc * bytes],
        ...[rows, columns, k, or, ar, ac, br, bc],
      ]),
    );
  };
}

/** Of so many parts, how many beside each other: each range of columns packs all of A, and each range of rows all of B. */
function columnPartsOf(m: number, n: number, parts: number): number {
  let [best, least] = [1, Number.POSITIVE_INFINITY];
  for (let columns = 1; columns <= parts; columns++) {
    const packed = m * columns + (n * parts) / columns;
    if (parts % columns === 0 && packed < least) [best, least] = [columns, packed];
  }
  return best;
}

/** Element-wise kernels of `operands` operands: (out, operands..., n, strides...). `cost` is operations per element. */
export function splitElements(bytes: number, operands: number, cost: number): Split {
  return (numbers, threads) => {
    const n = numbers[operands + 1] ?? 0;
    const strides = numbers.slice(operands + 2);
    return ranges(n, partsFor(n * cost, threads), 64).map(([first, count]) => [
      ...numbers.slice(0, operands + 1).map((at, operand) => at + first * (strides[operand] ?? 0) * bytes),
      count,
      ...strides,
    ]);
  };
}

/** Kernels over contiguous rows: (out, a, ..., rows, n, ...), with `rows` at `place`. */
export function splitRows(bytes: number, place: number, cost: number): Split {
  return (numbers, threads) => {
    const [rows = 0, n = 0] = numbers.slice(place);
    return ranges(rows, partsFor(rows * n * cost, threads), 1).map(([first, count]) => {
      const part = [...numbers];
      part[0] = (numbers[0] ?? 0) + first * n * bytes;
      part[1] = (numbers[1] ?? 0) + first * n * bytes;
      part[place] = count;
      return part;
    });
  };
}

/** (out, a, b, rows, n, so, sr, sa, sb): matrix by vector. */
export function splitDot(bytes: number): Split {
  return (numbers, threads) => {
    const [out = 0, a = 0, b = 0, rows = 0, n = 0, so = 0, sr = 0, ...strides] = numbers;
    return ranges(rows, partsFor(rows * n, threads), 1).map(([first, count]) => [
      ...[out + first * so * bytes, a + first * sr * bytes, b, count, n, so, sr, ...strides],
    ]);
  };
}

/** A kernel that cuts its calls; `run` does the parts of a cut call. */
export function divided(
  kernel: AnyKernel,
  split: Split,
  threads: number,
  run: (parts: readonly (readonly number[])[]) => void,
): AnyKernel {
  return (...numbers) => {
    const parts = split(numbers, threads);
    if (parts.length < 2) kernel(...numbers);
    else run(parts);
  };
}
