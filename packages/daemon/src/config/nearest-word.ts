/** The word that somebody who mistyped meant. */

/** Edits (insert, drop, replace, swap neighbours) up to which a word is suggested. */
const EDITS_MAX = 2;
const WORD_MAX = 64;

/** The nearest of `known` to `word`, if it is near enough: two edits, and fewer than half of its letters. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  if (word.length > WORD_MAX) return undefined;
  let best: string | undefined;
  let least = EDITS_MAX + 1;
  for (const each of known) {
    const edits = distance(word.toLowerCase(), each.toLowerCase());
    if (edits < least && 2 * edits < Math.max(2, each.length)) [best, least] = [each, edits];
  }
  return best;
}

/** Optimal string alignment distance, O(a·b). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  const cell = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min(cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, cell(i - 2, j - 2) + 1);
      row[j] = edits;
    }
  }
  return cell(a.length, b.length);
}
