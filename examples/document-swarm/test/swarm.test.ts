import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { merged } from "../coordinator.ts";
import { askSwarm, documentsBelow, report } from "../main.ts";

const docs = join(import.meta.dirname, "../../../docs");
const questions: readonly (readonly [question: string, file: RegExp])[] = [
  ["how is the fuel of a metered guest charged in loops", /fuel|guests/],
  ["rotation of the cluster key and removal of a member", /join/],
  ["restart intensity of a supervisor", /supervision/],
];

describe("the swarm", () => {
  it("finds the page a question is about, and finds the same however many indexers share the documents", async () => {
    const documents = documentsBelow(docs);
    const asked = questions.map(([text]) => ({ text, top: 3 }));
    const [four, one] = [await askSwarm(documents, asked, 4), await askSwarm(documents, asked, 1)];
    for (const [index, [text, file]] of questions.entries()) {
      const { found, answered } = four.answers[index] as (typeof four.answers)[number];
      expect(answered).toBe(4);
      expect(found.map(({ passage }) => passage.file).join(" "), text).toMatch(file);
      const places = (all: typeof found): readonly string[] =>
        all.map(({ passage }) => `${passage.file}:${passage.line}`);
      expect(places(found)).toEqual(places(one.answers[index]?.found ?? []));
    }
    const spread = Object.values(four.indexed);
    expect(spread.reduce((sum, count) => sum + count, 0)).toBe(one.indexed["indexer-1"]);
    for (const count of spread) expect(count).toBeGreaterThan(0);
  });

  it("answers from no documents with nothing, and from one with that one, from the one indexer that has it", async () => {
    const none = await askSwarm([], [{ text: "anything", top: 3 }], 2);
    expect(none.answers).toEqual([{ found: [], answered: 2, of: 2 }]);
    const { indexed, answers } = await askSwarm(
      [{ file: "a.txt", text: "bread and water" }],
      [{ text: "bread", top: 9 }],
      3,
    );
    expect(Object.values(indexed).sort()).toEqual([0, 0, 1]);
    expect(answers[0]?.found).toHaveLength(1);
    expect(report({ a: 0 }, { found: [], answered: 1, of: 1 })).toMatch(/nothing to search/);
  });

  it("features are as common in the whole as in its parts together", () => {
    const part = (texts: number, features: Record<string, number>) => ({
      texts,
      features: Object.entries(features),
    });
    expect(merged([part(2, { a: 1, b: 2 }), part(3, { b: 1 })])).toEqual(part(5, { a: 1, b: 3 }));
  });
});

describe("the program", () => {
  const run = (...args: readonly string[]) =>
    execFileSync(
      process.execPath,
      ["--conditions=@glia-os/source", "--no-warnings", join(import.meta.dirname, "../main.ts"), ...args],
      { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
    );

  it("prints where passages lie and what was found, as text or as JSON", () => {
    const folder = mkdtempSync(join(tmpdir(), "swarm-"));
    try {
      writeFileSync(join(folder, "moon.txt"), "The moon goes around the earth in a month.\n");
      writeFileSync(join(folder, "bread.md"), "# Bread\n\nFlour, water, salt and yeast.\n");
      expect(run(folder, "what is bread made of", "--indexers", "2")).toMatch(
        /^passages: indexer-1 \d, indexer-2 \d; 2 of 2 indexers answered\n0\.\d{3} {2}bread\.md:1\n/,
      );
      const { found } = JSON.parse(run(folder, "--json", "--top", "1", "the moon"));
      expect(found).toMatchObject([{ passage: { file: "moon.txt", line: 1 } }]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("says how it is used when it is used wrongly", () => {
    for (const args of [[], ["folder"], [".", "x", "--top", "0"], [".", "x", "--indexers", "65"]])
      expect(() => run(...args)).toThrow(/usage: node main\.ts/);
    expect(() => run(join(tmpdir(), "no-such-folder"), "x")).toThrow(/^document-swarm: ENOENT.*$/m);
  });
});
