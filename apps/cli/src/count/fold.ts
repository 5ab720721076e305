/**
 * What a code point is to the count: not part of a word, or the code point it is compared as.
 *
 * W1. A word is a maximal run of code points of category L* or Nd in Unicode 16.0, whatever Unicode the JavaScript engine has.
 * W2. Words are compared after simple lower-case mapping: one code point to one, no context, no locale.
 *
 * The guest that counts on the mesh has its own tables in another form; this one is a flat array unpacked from run lengths.
 */
import { LOWER_RUNS, WORD_RUNS } from "./unicode-16.ts";

/** Code points below this are looked up directly: planes 0 and 1 hold every cased letter and every digit. */
const DIRECT = 0x20000;

/** A function from code point to what it is compared as; 0 for a code point that separates words. */
export interface Fold {
  /** For code points below {@link Fold.direct.length}, by index. */
  readonly direct: Uint32Array;
  /** For all others. */
  beyond(codePoint: number): number;
}

function numbers(runs: string): number[] {
  return runs.split(" ").map((text) => Number.parseInt(text, 36));
}

function unpackWords(direct: Uint32Array): [number, number][] {
  const beyond: [number, number][] = [];
  const runs = numbers(WORD_RUNS);
  let end = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const start = end + runs[i]!;
    end = start + runs[i + 1]!;
    for (let point = start; point < Math.min(end, DIRECT); point++) direct[point] = point;
    if (end > DIRECT) beyond.push([Math.max(start, DIRECT), end]);
  }
  return beyond;
}

function unpackLower(direct: Uint32Array): void {
  const runs = numbers(LOWER_RUNS);
  let start = 0;
  for (let i = 0; i < runs.length; i += 4) {
    start += runs[i]!;
    const [length, stride, coded] = [runs[i + 1]!, runs[i + 2]!, runs[i + 3]!];
    const offset = coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
    for (let n = 0; n < length; n++) {
      const point = start + n * stride;
      // Some symbols have a case too (circled letters); they stay separators.
      if (direct[point] !== 0) direct[point] = point + offset;
    }
  }
}

/** Unpack the tables: 512 KiB, once per thread that counts. */
export function createFold(): Fold {
  const direct = new Uint32Array(DIRECT);
  const ranges = unpackWords(direct);
  unpackLower(direct);
  return {
    direct,
    beyond: (codePoint) =>
      ranges.some(([start, end]) => codePoint >= start && codePoint < end) ? codePoint : 0,
  };
}
