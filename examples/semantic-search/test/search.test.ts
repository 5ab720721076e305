import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DIMENSIONS, HashingEmbedder } from "../embedder.ts";
import { ask, report } from "../main.ts";
import { passagesBelow, passagesOf } from "../passages.ts";

const docs = join(import.meta.dirname, "../../../docs");
const questions: readonly (readonly [question: string, file: RegExp])[] = [
  ["how is the fuel of a metered guest charged in loops", /fuel|guests/],
  ["rotation of the cluster key and removal of a member", /join/],
  ["bytes of a sealed datagram", /datagram/],
  ["where does the audit chain of approvals lie", /audit|oversight|time-travel/],
  ["which error codes may be retried", /errors/],
  ["restart intensity of a supervisor", /supervision/],
];

describe("semantic search", () => {
  it("finds the page a question is about, among all pages of this repository, within its first three passages", async () => {
    const passages = passagesBelow(docs);
    expect(passages.length).toBeGreaterThan(200);
    const answers = await ask(passages, ...questions.map(([text]) => ({ text, top: 3 })));
    for (const [index, [text, file]] of questions.entries()) {
      const found = answers[index] ?? [];
      expect(found.map(({ passage }) => passage.file).join(" "), text).toMatch(file);
      const scores = found.map(({ score }) => score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }
  });

  it("a passage is nearest to itself, with a score of 1", async () => {
    const passages = passagesBelow(docs).slice(0, 100);
    for (const place of [0, 42, 99]) {
      const passage = passages[place] as (typeof passages)[number];
      const [[first] = []] = await ask(passages, { text: passage.text, top: 1 });
      expect(first?.passage.text).toBe(passage.text);
      expect(first?.score).toBeCloseTo(1, 5);
    }
  });

  it("answers from no documents with nothing, and from one with that one", async () => {
    expect(report((await ask([], { text: "anything", top: 3 }))[0] ?? [])).toMatch(/nothing to search/);
    const one = passagesOf("a.txt", "the only text");
    expect(await ask(one, { text: "zzz", top: 3 })).toEqual([[{ score: 0, passage: one[0] }]]);
  });

  it("texts without a word in common have nothing to do with each other, and related forms of a word do", () => {
    const embedder = new HashingEmbedder();
    for (const text of ["migrating agents", "cheese"]) embedder.observe(text);
    const vectors = ["migration of an agent", "migrating agents", "cheese"].map((text) => {
      const vector = new Float32Array(DIMENSIONS);
      embedder.embed(text, vector);
      return vector;
    }) as [Float32Array, Float32Array, Float32Array];
    const dot = (a: Float32Array, b: Float32Array) =>
      a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
    expect(dot(vectors[0], vectors[1])).toBeGreaterThan(0.1);
    expect(Math.abs(dot(vectors[1], vectors[2]))).toBeLessThan(0.3);
  });
});

describe("the program", () => {
  const run = (...args: readonly string[]) =>
    execFileSync(
      process.execPath,
      ["--conditions=@glia-os/source", "--no-warnings", join(import.meta.dirname, "../main.ts"), ...args],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );

  it("prints passages with their place, as text or as JSON", () => {
    const folder = mkdtempSync(join(tmpdir(), "search-"));
    try {
      writeFileSync(
        join(folder, "moon.txt"),
        "The moon goes around the earth in a month.\n\nTides follow it.\n",
      );
      writeFileSync(join(folder, "bread.md"), "# Bread\n\nFlour, water, salt and yeast.\n");
      expect(run(folder, "what is bread made of")).toMatch(/^0\.\d{3} {2}bread\.md:1\n/);
      const [first] = JSON.parse(run(folder, "--json", "--top", "1", "the moon and the tides"));
      expect(first).toMatchObject({ passage: { file: "moon.txt", line: 1 } });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("says how it is used when it is used wrongly", () => {
    for (const args of [[], ["folder"], [".", "x", "--top", "0"]])
      expect(() => run(...args)).toThrow(/usage: node main\.ts/);
  });
});
