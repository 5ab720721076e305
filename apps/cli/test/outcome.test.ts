import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../src/demo/catalogue/catalogue.ts";
import { type CatalogueReport, ExpectedCatalogue, kindOf } from "../src/demo/catalogue/report.ts";
import { type DemoFindings, differencesIn, recordOf } from "../src/demo/outcome.ts";
import { formatBar, resultLines, verdictOf } from "../src/demo/view.ts";

const top = [
  ["the", 5],
  ["a", 2],
] as const;

const catalogued: CatalogueReport = {
  files: 2,
  bytes: 40,
  applied: 3,
  lost: 0,
  duplicated: 0,
  kinds: [["md", { files: 2, bytes: 40 }]],
};

function findings(
  change: { agent?: object; expected?: object } & Partial<Omit<DemoFindings, "agent" | "expected">> = {},
): DemoFindings {
  const totals = { files: 2, lines: 3, words: 7, bytes: 40 };
  const { agent, expected, ...rest } = change;
  const move = { strategy: "stop-and-copy", bytes: 1, downtimeMs: 1, phases: [], messagesDuring: 1 } as const;
  return {
    transport: "tls-tcp",
    nodes: 3,
    agent: {
      ...totals,
      applied: 9,
      lost: 0,
      duplicated: 0,
      malformed: 0,
      distinct: 2,
      topApproximate: false,
      topError: 0,
      top,
      ...agent,
    },
    expected: { ...totals, top, distinctExceeded: false, ...expected },
    sent: 9,
    duplicatesRefused: 0,
    moves: [
      { ...move, from: "edge", to: "core", epoch: 2 },
      { ...move, from: "core", to: "relay", epoch: 3 },
    ],
    catalogue: { report: catalogued, sent: 3, differences: [] },
    logbook: { lines: ["a", "b"], records: 9, replayed: ["a", "b"], differences: [] },
    failover: { agent: "catalogue", killed: "edge", pid: 7, to: "relay", epoch: 2, ms: 6000 },
    owner: "relay",
    expectedOwner: "relay",
    peakRssBytes: {},
    elapsedMs: 1,
    ...rest,
  };
}

describe("the outcome of a run", () => {
  it("is ok when everything agrees, with the keys in the order of the format", () => {
    const record = recordOf(findings());
    expect(record.ok).toBe(true);
    expect(Object.keys(record).slice(0, 15)).toEqual(
      "ok transport nodes files lines words bytes top topApproximate expected sent applied lost duplicated migrations".split(
        " ",
      ),
    );
    expect(Object.keys(record).slice(-3)).toEqual(["catalogue", "failover", "replay"]);
    expect(record.catalogue).toEqual({ ...catalogued, sent: 3 });
  });

  it.each([
    ["a file too few", { agent: { files: 1 } }, /files: the agent counted 1/],
    ["a line too many", { agent: { lines: 4 } }, /lines/],
    ["a word that differs", { agent: { words: 6 } }, /words/],
    ["a byte that differs", { agent: { bytes: 39 } }, /bytes/],
    [
      "another frequent word",
      {
        agent: {
          top: [
            ["the", 5],
            ["an", 2],
          ],
        },
      },
      /frequent word 2/,
    ],
    [
      "another count",
      {
        agent: {
          top: [
            ["the", 6],
            ["a", 2],
          ],
        },
      },
      /frequent word 1/,
    ],
    ["a missing word", { agent: { top: [["the", 5]] } }, /names 1 frequent words/],
    ["an approximate list where it could be exact", { agent: { topApproximate: true } }, /approximate/],
    ["an exact list where it cannot be", { expected: { distinctExceeded: true } }, /not approximate/],
    ["an unreadable message", { agent: { malformed: 1 } }, /could not read 1/],
    ["an agent in the wrong place", { owner: "core" }, /ended on core and not on relay/],
    ["an agent that is gone", { owner: undefined }, /ended on no node/],
  ])("is not ok with %s", (_, change, said) => {
    const record = recordOf(findings(change as never));
    expect(record.ok).toBe(false);
    expect(record.differences.join("\n")).toMatch(said);
  });

  it("is not ok when a message was lost or applied twice, even if the totals agree", () => {
    expect(recordOf(findings({ agent: { applied: 8 } }))).toMatchObject({
      ok: false,
      lost: 1,
      duplicated: 0,
    });
    expect(recordOf(findings({ agent: { duplicated: 1 } }))).toMatchObject({
      ok: false,
      lost: 0,
      duplicated: 1,
    });
  });

  it("is not ok when nothing was sent while the agent moved", () => {
    const silent = findings().moves.map((move) => ({ ...move, messagesDuring: 0 }));
    expect(differencesIn(findings({ moves: silent }))).toHaveLength(2);
  });

  it("accepts equal counts in any order, and approximate counts within their error only", () => {
    const tie = {
      agent: {
        top: [
          ["b", 2],
          ["a", 2],
        ],
      },
      expected: {
        top: [
          ["a", 2],
          ["b", 2],
        ],
      },
    };
    expect(recordOf(findings(tie)).ok).toBe(true);
    const bound = (count: number, topError: number) =>
      recordOf(
        findings({
          agent: { top: [["the", count]], topApproximate: true, topError },
          expected: { top: [["the", 5]], distinctExceeded: true },
        }),
      ).ok;
    expect([bound(5, 0), bound(7, 2), bound(7, 1), bound(4, 2)]).toEqual([true, true, false, false]);
  });
});

describe("what a person sees", () => {
  it("a bar that is never too long and never full before the end", () => {
    expect(formatBar(0, 4)).toBe("[>   ]   0 %");
    expect(formatBar(0.5, 4)).toBe("[==> ]  50 %");
    expect(formatBar(0.999, 4)).toBe("[===>]  99 %");
    expect([formatBar(1, 4), formatBar(1.7, 4)]).toEqual(["[====] 100 %", "[====] 100 %"]);
  });

  it("both counts side by side, the frequent words and the verdict", () => {
    const record = recordOf(findings());
    expect(resultLines(record)).toEqual([
      "       agent  expected",
      "files      2         2",
      "lines      3         3",
      "words      7         7",
      "bytes     40        40",
      "",
      "most frequent: the 5, a 2",
      "messages: 9 sent, 9 applied, 0 lost, 0 duplicated",
      "catalogue: md 2; 3 sent, 3 applied, 0 lost, 0 duplicated",
    ]);
    expect(verdictOf(record)).toBe(
      "counts agree after 2 moves and a killed node: nothing lost, nothing duplicated (1.00 ms)",
    );
    expect(verdictOf(recordOf(findings({ owner: "core" })))).toBe("counts do not agree");
  });
});

describe("the catalogue", () => {
  it("kinds are endings of names, and everything else is of no kind", () => {
    for (const [name, kind] of [
      ["a/b.TXT", "txt"],
      ["a.b/c", "(none)"],
      [".profile", "(none)"],
      ["x.tar.gz", "gz"],
      ["x.", "(none)"],
      ["x.averyverylongending", "(none)"],
      ["ü.md", "md"],
    ] as const)
      expect(kindOf(Buffer.from(name))).toBe(kind);
  });

  it("a file too few, a byte too many, a kind of its own, a message lost or applied twice are differences", () => {
    const expected = new ExpectedCatalogue();
    for (const [name, bytes] of [
      ["a.md", 10],
      ["b.md", 30],
    ] as const)
      expect(expected.take(Buffer.from(name), bytes)).toBe("md");
    expect(expected.differences(catalogued, 3)).toEqual([]);
    for (const wrong of [
      { applied: 2 },
      { lost: 1 },
      { duplicated: 1 },
      { kinds: [["md", { files: 1, bytes: 40 }]] },
      { kinds: [["md", { files: 2, bytes: 41 }]] },
      { kinds: [...catalogued.kinds, ["txt", { files: 1, bytes: 1 }]] },
      { kinds: [] },
    ] as const)
      expect(expected.differences({ ...catalogued, ...wrong }, 3)).toHaveLength(1);
  });

  it("a run whose second agent did not go on elsewhere is not ok", () => {
    const { failover } = findings();
    for (const wrong of [undefined, { ...failover, to: undefined }, { ...failover, to: "edge" }])
      expect(differencesIn(findings({ failover: wrong } as never))).toEqual([
        expect.stringContaining("did not go on"),
      ]);
    expect(CATALOGUE).toBe(failover?.agent);
  });

  it("neither is one whose journal gives something else than was written", () => {
    const logbook = { ...findings().logbook, differences: ["the replay of its journal gives 1 lines"] };
    expect(recordOf(findings({ logbook })).ok).toBe(false);
  });
});
