import type { WasmProgram } from "@glia-os/wasm";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  CHUNK_BYTES,
  decodeReport,
  encodeChunk,
  encodeLimit,
  encodeReportRequest,
  type WordCountReport,
} from "../src/word-count.ts";
import { admitted, DrivenGuest } from "./drive.ts";
import { count, top } from "./oracle.ts";

let program: WasmProgram;
beforeAll(async () => {
  program = await admitted("word-count");
});

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A guest that is fed files in pieces of given sizes. */
class Counting extends DrivenGuest {
  sequence = 0;

  file(index: number, bytes: Uint8Array, sizes: () => number, between: () => void = () => undefined): void {
    let at = 0;
    do {
      const size = Math.min(sizes(), bytes.length - at);
      const piece = bytes.subarray(at, at + size);
      at += size;
      const last = at >= bytes.length;
      const first = at === size;
      this.send(encodeChunk({ sequence: ++this.sequence, fileIndex: index, first, last, bytes: piece }));
      between();
    } while (at < bytes.length);
  }

  report(): WordCountReport {
    return decodeReport(this.send(encodeReportRequest()) ?? new Uint8Array());
  }
}

function countWhole(files: readonly Uint8Array[]): WordCountReport {
  const guest = new Counting(program);
  for (const [index, bytes] of files.entries()) guest.file(index, bytes, () => CHUNK_BYTES);
  return guest.report();
}

function expectAgreement(report: WordCountReport, files: readonly Uint8Array[]): void {
  const wanted = count(files);
  expect(report).toMatchObject({ bytes: wanted.bytes, lines: wanted.lines, words: wanted.words });
  expect(report).toMatchObject({
    files: files.length,
    distinct: wanted.counts.size,
    topApproximate: false,
    topError: 0,
  });
  expect(report.top).toEqual(top(wanted.counts));
}

/** Bytes that sit on the edges: letters whose case mapping is special, broken sequences, words around 64 bytes. */
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom(
        "a",
        "A",
        "the ",
        "The",
        "b1",
        " ",
        "\n",
        "\r\n",
        "_",
        "ß",
        "é",
        "É",
        "İ",
        "ı",
        "Σσς",
        "ǅ",
      )
      .map(text),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(
        "Ⴀ",
        "Ω",
        "K",
        "Å",
        "漢字",
        "𐐀",
        "𝟘",
        "٣",
        "ⅷ",
        "²",
        "e\u0301",
        "\uFEFF",
        "\u2028",
        "𞤀",
        "🙂",
        "\u{1CCF0}",
        "\u{10D50}",
        "Ა",
      )
      .map(text),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(
        [0xff],
        [0xc3],
        [0xe2, 0x82],
        [0xf0, 0x9f],
        [0xed, 0xa0, 0x80],
        [0xc0, 0xaf],
        [0xf4, 0x90, 0x80, 0x80],
        [0xe0, 0x80],
        [0x80],
        [0xf8, 0x88],
        [0xe2, 0x28, 0xa1],
      )
      .map((bytes) => Uint8Array.from(bytes)),
  },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("x", "É", "漢", "𐐀"), fc.integer({ min: 14, max: 140 }))
      .map(([one, times]) => text(one.repeat(times))),
  },
);
const file = fc
  .array(piece, { maxLength: 60 })
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

describe("the word-count guest", () => {
  it("agrees with an independent count on every split into chunks and every pattern of moves", () => {
    fc.assert(
      fc.property(
        fc.array(file, { maxLength: 4 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 23 })),
        (files, choices) => {
          const guest = new Counting(program);
          const next = (): number => choices.next().value as number;
          const sometimesMove = (): void => {
            if (next() === 0) guest.move(next() % 2 === 0);
          };
          for (const [index, bytes] of files.entries())
            guest.file(index, bytes, () => 1 + next(), sometimesMove);
          expectAgreement(guest.report(), files);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("agrees on random bytes in full-size chunks", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1000, maxLength: 200_000, size: "max" }), (bytes) => {
        expectAgreement(countWhole([bytes]), [bytes]);
      }),
      { numRuns: 10 },
    );
  });

  it("agrees on every code point, one word each", () => {
    let all = "";
    for (let point = 0; point <= 0x10ffff; point++) {
      if (point < 0xd800 || point > 0xdfff) all += `${String.fromCodePoint(point)} `;
    }
    const bytes = text(all);
    expectAgreement(countWhole([bytes]), [bytes]);
  });

  it("counts no file, an empty file and a file without line end as wc does", () => {
    expect(countWhole([])).toMatchObject({ files: 0, bytes: 0, lines: 0, words: 0, top: [] });
    expectAgreement(countWhole([new Uint8Array()]), [new Uint8Array()]);
    expectAgreement(countWhole([text("one\ntwo")]), [text("one\ntwo")]);
  });

  it("does not join a word over the end of a file", () => {
    expect(countWhole([text("ab"), text("cd")]).top).toEqual([
      ["ab", 1],
      ["cd", 1],
    ]);
  });

  it("ends a word at the end of a file whose last chunk never came, when the next file begins", () => {
    const guest = new Counting(program);
    guest.send(encodeChunk({ sequence: 1, fileIndex: 0, first: true, last: false, bytes: text("ab") }));
    guest.send(encodeChunk({ sequence: 2, fileIndex: 1, first: true, last: true, bytes: text("cd") }));
    expect(guest.report().top).toEqual([
      ["ab", 1],
      ["cd", 1],
    ]);
  });

  it("keeps its memory while one word of 64 MiB passes, and counts it", () => {
    const guest = new Counting(program);
    const bytes = new Uint8Array(64 * 1024 * 1024).fill(0x61);
    guest.file(0, bytes, () => CHUNK_BYTES);
    const before = guest.instance.memoryBytes;
    expect(guest.report()).toMatchObject({ words: 1, lines: 0, top: [["a".repeat(40), 1, bytes.length]] });
    expect(before).toBeLessThan(10 * 1024 * 1024);
  });

  it("tells long words apart that differ only in their last letter or their length", () => {
    const long = "y".repeat(200);
    const report = countWhole([text(`${long}a ${long}b ${long}a ${long} ${long}aa`)]);
    expect(report.distinct).toBe(4);
    expect(report.top[0]).toEqual(["y".repeat(40), 2, 201]);
  });

  it("applies a repeated chunk once and counts repeats and gaps", () => {
    const guest = new Counting(program);
    const send = (sequence: number, word: string): void => {
      guest.send(encodeChunk({ sequence, fileIndex: 0, first: false, last: false, bytes: text(word) }));
    };
    send(1, "one ");
    send(2, "two ");
    send(2, "two ");
    send(1, "one ");
    send(5, "five ");
    expect(guest.report()).toMatchObject({ words: 3, applied: 3, duplicated: 2, lost: 2, bytes: 13 });
  });

  it("ends a word at a gap instead of joining what was not adjacent", () => {
    const guest = new Counting(program);
    guest.send(encodeChunk({ sequence: 1, fileIndex: 0, first: true, last: false, bytes: text("ab") }));
    guest.send(encodeChunk({ sequence: 3, fileIndex: 0, first: false, last: true, bytes: text("cd") }));
    expect(guest.report().top).toEqual([
      ["ab", 1],
      ["cd", 1],
    ]);
  });

  it("counts what is no message as malformed and changes nothing else", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 }), (messages) => {
        const guest = new Counting(program);
        const garbage = messages.filter(
          (message) =>
            !(message[0] === 1 && message.length >= 16) &&
            !(message[0] === 2 && message.length === 1) &&
            !(message[0] === 3 && message.length === 8),
        );
        for (const message of garbage) guest.send(message);
        expect(guest.report()).toMatchObject({ malformed: garbage.length, applied: 0, bytes: 0 });
      }),
      { numRuns: 50 },
    );
  });

  it("goes on after messages that are too long to be chunks", () => {
    const guest = new Counting(program);
    const chunk = encodeChunk({ sequence: 1, fileIndex: 0, first: true, last: true, bytes: text("a b") });
    const long = new Uint8Array(16 + CHUNK_BYTES + 1);
    long.set(chunk);
    guest.send(long);
    guest.send(new Uint8Array(1_048_576).fill(2));
    guest.send(chunk);
    expect(guest.report()).toMatchObject({ malformed: 2, applied: 1, words: 2 });
  });

  it("takes a limit only before the first chunk, and only in range", () => {
    const guest = new Counting(program);
    guest.send(Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0));
    guest.send(encodeLimit(3));
    guest.send(encodeChunk({ sequence: 1, fileIndex: 0, first: true, last: true, bytes: text("a b c d") }));
    guest.send(encodeLimit(1000));
    expect(guest.report()).toMatchObject({ malformed: 2, distinct: 3, topApproximate: true });
  });
});

describe("past the limit of distinct words", () => {
  const stream = fc.array(
    fc.nat({ max: 60 }).map((n) => Math.floor((n * n) / 60)),
    { minLength: 1, maxLength: 400 },
  );
  /** Words of many lengths, so that space is reused between records of different sizes. */
  const word = (n: number): string =>
    `${n.toString(26).replace(/\d/g, (d) => "qrstuvwxyz"[Number(d)] as string)}${"z".repeat((n * 7) % 90)}`;

  it("every count is at least the true count and above it by at most topError", () => {
    fc.assert(
      fc.property(
        stream,
        fc.integer({ min: 1, max: 40 }),
        fc.infiniteStream(fc.nat({ max: 40 })),
        (numbers, limit, choices) => {
          const guest = new Counting(program);
          guest.send(encodeLimit(limit));
          const bytes = text(numbers.map(word).join(" "));
          guest.file(
            0,
            bytes,
            () => 100,
            () => void (choices.next().value === 0 && guest.move()),
          );
          const report = guest.report();
          const truth = count([bytes]);
          expect(report.topApproximate).toBe(truth.counts.size > limit);
          expect(report.distinct).toBe(Math.min(limit, truth.counts.size));
          expect(report.words).toBe(truth.words);
          // Space-Saving: the counters sum to the words read, so the least of them, and the error, is at most words / counters.
          expect(report.topError).toBeLessThanOrEqual(Math.floor(truth.words / limit));
          const shown = new Map(
            top(truth.counts).length === 0 ? [] : [...truth.counts].map(([w, c]) => [key(w), c]),
          );
          for (const [prefix, counted, length] of report.top) {
            const real = shown.get(`${prefix} ${length ?? ""}`) ?? 0;
            expect(counted).toBeGreaterThanOrEqual(real);
            expect(counted - real).toBeLessThanOrEqual(report.topError);
          }
          const leastShown = report.top.at(-1)?.[1] ?? 0;
          // A word that is not held occurred at most topError times; one held and not shown, at most as often as the last shown.
          for (const [w, real] of truth.counts) {
            if (!report.top.some(([prefix, , length]) => `${prefix} ${length ?? ""}` === key(w)))
              expect(real).toBeLessThanOrEqual(Math.max(report.topError, leastShown));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  function key(value: string): string {
    const bytes = Buffer.byteLength(value);
    return bytes > 64 ? `${value.slice(0, 40)} ${bytes}` : `${value} `;
  }

  it("keeps the bound in a table that is nearly half full, where taking counters over moves others", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const guest = new Counting(program);
        guest.send(encodeLimit(2040));
        let state = seed >>> 0;
        const numbers = Array.from({ length: 30_000 }, () => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          // Some words often, most of 4,000 rarely: the product of two uniform numbers.
          return Math.floor(
            ((state >>> 16) * ((Math.imul(state, 2_654_435_761) >>> 0) >>> 16) * 4000) / 2 ** 32,
          );
        });
        const bytes = text(numbers.map((n) => `n${n.toString(36)}`).join(" "));
        guest.file(0, bytes, () => CHUNK_BYTES);
        const report = guest.report();
        const truth = count([bytes]);
        expect(report.distinct).toBe(2040);
        expect(report.topError).toBeLessThanOrEqual(Math.floor(truth.words / 2040));
        expect(new Set(report.top.map(([shown]) => shown)).size).toBe(10);
        for (const [shown, counted] of report.top) {
          const real = truth.counts.get(shown) ?? 0;
          expect(counted).toBeGreaterThanOrEqual(real);
          expect(counted - real).toBeLessThanOrEqual(report.topError);
        }
        // Each of the ten that are truly most frequent is above the error, so it is held and, with so few between, shown.
        const leastShown = report.top.at(-1)?.[1] ?? 0;
        for (const [shown, real] of top(truth.counts) as [string, number][])
          if (real > leastShown) expect(report.top.map(([name]) => name)).toContain(shown);
      }),
      { numRuns: 12 },
    );
  });

  it("makes room for long words in memory that short ones filled", () => {
    const guest = new Counting(program, { memoryPages: 160 });
    const short = Array.from({ length: 120_000 }, (_, n) => n.toString(36));
    const long = Array.from({ length: 30_000 }, (_, n) => `${n.toString(36)}${"k".repeat(58)}`);
    const often = `${"often".repeat(14)}x`;
    const bytes = text(
      [...short, ...long.flatMap((word, n) => (n % 3 === 0 ? [word, often] : [word]))].join(" "),
    );
    guest.file(0, bytes, () => CHUNK_BYTES);
    const report = guest.report();
    expect(report).toMatchObject({ words: 160_000, topApproximate: true });
    expect(report.top[0]?.[0]).toBe(often.slice(0, 40));
    expect(report.top[0]?.[1]).toBeGreaterThanOrEqual(10_000);
    expect(report.top[0]?.[1]).toBeLessThanOrEqual(10_000 + report.topError);
    // The space holds a third as many long words as short ones, and is used.
    expect(report.distinct).toBeGreaterThan(5_000);
  });

  it("goes on approximately when memory ends before the limit, without failing", () => {
    // 8 MiB of table plus a little: room for a few thousand words.
    const guest = new Counting(program, { memoryPages: 160 });
    let content = "";
    for (let n = 0; n < 60_000; n++)
      content += `${"abcdefghij"[n % 10]}${n.toString(36)}${"k".repeat(n % 70)} ${n % 3 === 0 ? "often " : ""}`;
    const bytes = text(content);
    guest.file(0, bytes, () => CHUNK_BYTES);
    const report = guest.report();
    const truth = count([bytes]);
    expect(guest.outcome.kind).toBe("pending");
    expect(report.topApproximate).toBe(true);
    expect(report.words).toBe(truth.words);
    expect(report.distinct).toBeGreaterThan(1000);
    const [first = ["", 0]] = report.top;
    expect(first[0]).toBe("often");
    expect(first[1]).toBeGreaterThanOrEqual(20_000);
    expect(first[1] - 20_000).toBeLessThanOrEqual(report.topError);
  });

  it("counts a million distinct words exactly in less than 64 MiB", () => {
    const guest = new Counting(program);
    const lines: string[] = [];
    for (let n = 0; n < 1_000_000; n++) lines.push(`word${n.toString().padStart(6, "0")}`);
    lines.push("word500000");
    guest.file(0, text(lines.join("\n")), () => CHUNK_BYTES);
    guest.move();
    const report = guest.report();
    expect(report).toMatchObject({ words: 1_000_001, distinct: 1_000_000, topApproximate: false });
    expect(report.top[0]).toEqual(["word500000", 2]);
    expect(guest.instance.memoryBytes).toBeLessThan(64 * 1024 * 1024);
  });
});
