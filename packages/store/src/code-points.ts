/** Order of text by code points, which is the order of its UTF-8 bytes and so of SQLite's BINARY collation. */

const LAST = 0x10ffff;
const SURROGATES = { first: 0xd800, last: 0xdfff } as const;

/** Negative, 0 or positive as `a` is before, the same as or after `b`. */
export function compareCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** The first text after every text that starts with `prefix`; `undefined` when there is none. */
export function endOfPrefix(prefix: string): string | undefined {
  const points = [...prefix].map((point) => point.codePointAt(0)!);
  while (points.at(-1) === LAST) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  const next = last + 1 === SURROGATES.first ? SURROGATES.last + 1 : last + 1;
  return String.fromCodePoint(...points, next);
}
