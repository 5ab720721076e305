/** Linux CPU lists: `0-3,8,10-11` (the kernel's admin-guide/cputopology). */

/** Processor numbers above this are refused: the kernel's own limit is 8192. */
const HIGHEST_CPU = 65_535;

/** How many processors a list names; `undefined` when it is not a list. An empty list names none. */
export function countCpuList(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return 0;
  const ranges: [number, number][] = [];
  for (const part of trimmed.split(",")) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last > HIGHEST_CPU) return undefined;
    ranges.push([first, last]);
  }
  return countOf(ranges);
}

/** Members of the union of closed ranges. */
function countOf(ranges: [number, number][]): number {
  ranges.sort((a, b) => a[0] - b[0]);
  let count = 0;
  let next = 0;
  for (const [first, last] of ranges) {
    count += Math.max(0, last - Math.max(first, next) + 1);
    next = Math.max(next, last + 1);
  }
  return count;
}
