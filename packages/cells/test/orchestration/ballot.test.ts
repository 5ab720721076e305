/** Counting votes, without anybody who sends them. */
import { errorCodeOf } from "@glia-os/abi/errors";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Ballot,
  canonicalText,
  crossCheck,
  neededOf,
  type QuorumResult,
  type Threshold,
  VOTERS_MAX,
  voterSet,
} from "../../src/orchestration/index.ts";
import { codeOf, idOf, refOf } from "./ids.ts";

const setOf = (count: number) =>
  voterSet(
    "board",
    1,
    Array.from({ length: count }, (_, n) => refOf(n)),
  );

describe("a voter set", () => {
  it("asks for floor(n/2)+1, floor(2n/3)+1, all, more than half of the weight, or what it was told", () => {
    for (const [count, majority, superMajority] of [
      [1, 1, 1],
      [2, 2, 2],
      [3, 2, 3],
      [4, 3, 3],
      [5, 3, 4],
      [7, 4, 5],
      [10, 6, 7],
    ] as const) {
      expect(neededOf(setOf(count), "majority").needed).toBe(majority);
      expect(neededOf(setOf(count), "super-majority").needed).toBe(superMajority);
      expect(neededOf(setOf(count), "unanimous").needed).toBe(count);
    }
    const weighted = voterSet("board", 1, [
      { ref: refOf(0), weight: 5 },
      { ref: refOf(1), weight: 3 },
      refOf(2),
    ]);
    expect(neededOf(weighted, "weighted")).toEqual({ needed: 5, in: "weight" });
    expect(neededOf(weighted, { weight: 9 })).toEqual({ needed: 9, in: "weight" });
    expect(neededOf(weighted, { votes: 3 })).toEqual({ needed: 3, in: "votes" });
  });

  it("super-majorities of 3f+1 voters have an honest voter in common when f are faulty", () => {
    for (let f = 1; f < 100; f++) {
      const { needed } = neededOf(setOf(3 * f + 1), "super-majority");
      expect(needed).toBe(2 * f + 1);
      expect(2 * needed - (3 * f + 1)).toBeGreaterThan(f);
    }
  });

  it("VS2: refuses nobody, too many, a voter named twice, rubbish, and thresholds nobody can reach", () => {
    const bad: (() => unknown)[] = [
      () => setOf(0),
      () => setOf(VOTERS_MAX + 1),
      () => voterSet("board", 1, [refOf(1), refOf(1)]),
      () => voterSet("board", 1, [{ id: "me" }]),
      () => voterSet("", 1, [refOf(1)]),
      () => voterSet("board", -1, [refOf(1)]),
      () => voterSet("board", 1, [{ ref: refOf(1), weight: 0 }]),
      () => neededOf(setOf(3), { votes: 4 }),
      () => neededOf(setOf(3), { votes: 0 }),
      () => neededOf(setOf(3), { weight: 4 }),
    ];
    for (const make of bad) expect(codeOf(make)).toBe("orchestration.bad-option");
    expect(setOf(VOTERS_MAX).voters).toHaveLength(VOTERS_MAX);
  });
});

describe("a ballot", () => {
  it("BA1 and BA3: counts each voter of the set once, and nobody else", () => {
    const ballot = new Ballot(setOf(3));
    expect(ballot.count(idOf(0), "yes")).toBe("counted");
    for (let again = 0; again < 10; again++) expect(ballot.count(idOf(0), "yes")).toBe("repeated");
    expect(ballot.count(idOf(77), "yes")).toBe("stranger");
    expect(ballot.outcome()).toBe("open");
    expect(ballot.count(idOf(1), "yes")).toBe("counted");
    expect(ballot.outcome()).toBe("reached");
    expect(ballot.silent()).toEqual([idOf(2)]);
  });

  it("BA2: one that says two things counts for nothing, however often it speaks, and is named with both", () => {
    const ballot = new Ballot(setOf(3));
    ballot.count(idOf(0), { go: true });
    expect(ballot.count(idOf(0), { go: false })).toBe("equivocation");
    expect(ballot.count(idOf(0), { go: true })).toBe("repeated");
    expect(ballot.best()).toBeUndefined();
    expect(ballot.equivocations()).toEqual([{ voter: idOf(0), answers: [{ go: true }, { go: false }] }]);
    ballot.count(idOf(1), { go: true });
    expect(ballot.outcome()).toBe("open");
    ballot.count(idOf(2), { go: true });
    expect(ballot.outcome()).toBe("reached");
  });

  it("BA4: says that it has become impossible as soon as it has", () => {
    const split = new Ballot(setOf(4));
    split.count(idOf(0), "a");
    split.count(idOf(1), "b");
    expect(split.outcome()).toBe("open");
    split.count(idOf(2), "c");
    expect(split.outcome()).toBe("impossible");
    const quiet = new Ballot(setOf(5), "unanimous");
    quiet.abstain(idOf(3), "it is gone");
    expect(quiet.outcome()).toBe("impossible");
    expect(quiet.count(idOf(3), "yes")).toBe("counted");
    expect(quiet.outcome()).toBe("open");
    expect(quiet.abstentions()).toEqual([]);
  });

  it("counts weight where weight is asked for", () => {
    const set = voterSet("board", 1, [{ ref: refOf(0), weight: 3 }, refOf(1), refOf(2)]);
    const ballot = new Ballot(set, "weighted");
    ballot.count(idOf(1), "no");
    ballot.count(idOf(2), "no");
    expect(ballot.outcome()).toBe("open");
    ballot.count(idOf(0), "yes");
    expect(ballot.best()).toMatchObject({ answer: "yes", amount: 3 });
    expect(ballot.outcome()).toBe("reached");
  });

  it("agrees with counting by hand, whatever comes in whatever order", () => {
    const event = fc.record({ voter: fc.nat(9), answer: fc.nat(2), fails: fc.boolean() });
    const threshold = fc.constantFrom<Threshold>("majority", "super-majority", "unanimous", "weighted");
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        threshold,
        fc.array(event, { maxLength: 40 }),
        (count, how, events) => {
          const ballot = new Ballot<number>(setOf(count), how);
          const said = new Map<number, Set<number>>();
          const absent = new Set<number>();
          for (const { voter, answer, fails } of events) {
            if (fails) ballot.abstain(idOf(voter), "failed");
            else ballot.count(idOf(voter), answer);
            if (voter >= count) continue;
            if (!fails) said.set(voter, (said.get(voter) ?? new Set()).add(answer));
            else if (!said.has(voter)) absent.add(voter);
          }
          const honest = [...said.values()]
            .filter(({ size }) => size === 1)
            .map((answers) => [...answers][0]);
          const most = Math.max(
            0,
            ...[0, 1, 2].map((answer) => honest.filter((one) => one === answer).length),
          );
          const heard = new Set([...said.keys(), ...absent]);
          const { needed } = neededOf(setOf(count), how);
          expect(ballot.best()?.amount ?? 0).toBe(most);
          expect(ballot.equivocations()).toHaveLength(said.size - honest.length);
          const outcome =
            most >= needed ? "reached" : most + count - heard.size < needed ? "impossible" : "open";
          expect(ballot.outcome()).toBe(outcome);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("two majorities of one set never agree on different answers, as long as nobody contradicts itself", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.nat(1), { minLength: 9, maxLength: 9 }),
        (count, votes) => {
          const asked = (order: readonly number[]) => {
            const ballot = new Ballot<number>(setOf(count));
            for (const voter of order) {
              ballot.count(idOf(voter), votes[voter] as number);
              if (ballot.outcome() === "reached") break;
            }
            return ballot.outcome() === "reached" ? ballot.best()?.answer : undefined;
          };
          const voters = Array.from({ length: count }, (_, n) => n);
          const [one, other] = [asked(voters), asked(voters.toReversed())];
          if (one !== undefined && other !== undefined) expect(one).toBe(other);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("a comparison of surveys", () => {
  const result = (
    request: string,
    votes: readonly (readonly [number, string])[],
    version = 1,
  ): QuorumResult<string> => ({
    request,
    set: { name: "board", version, voters: 3 },
    outcome: "reached",
    needed: 2,
    got: 2,
    votes: votes.map(([voter, answer]) => ({ voter: idOf(voter), answer, weight: 1 })),
    equivocations: [],
    abstentions: [],
    silent: [],
  });

  it("names who told two surveys of one request different things", () => {
    const found = crossCheck([
      result("r", [
        [0, "a"],
        [1, "a"],
      ]),
      result("r", [
        [1, "b"],
        [2, "a"],
        [0, "a"],
      ]),
    ]);
    expect(found).toEqual([{ voter: idOf(1), answers: ["a", "b"] }]);
  });

  it("does not compare surveys of different requests or versions", () => {
    expect(crossCheck([result("r", [[0, "a"]]), result("s", [[0, "b"]])])).toEqual([]);
    expect(crossCheck([result("r", [[0, "a"]]), result("r", [[0, "b"]], 2)])).toEqual([]);
    expect(crossCheck([])).toEqual([]);
  });
});

describe("the text of a value", () => {
  it("is the same for equal values whatever the order of their keys, and differs for different ones", () => {
    expect(canonicalText({ a: 1, b: [2, { d: 1, c: 2 }] })).toBe(
      canonicalText({ b: [2, { c: 2, d: 1 }], a: 1 }),
    );
    const different = [
      null,
      undefined,
      "null",
      0,
      -0,
      Number.NaN,
      "",
      [],
      {},
      [[]],
      1n,
      "1",
      1,
      Uint8Array.of(1),
      true,
    ];
    expect(new Set(different.map(canonicalText)).size).toBe(different.length);
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [plainA, plainB] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))];
        if (canonicalText(plainA) === canonicalText(plainB)) expect(plainA).toEqual(plainB);
        expect(canonicalText(structuredClone(plainA))).toBe(canonicalText(plainA));
      }),
    );
  });

  it("refuses what is no data and what goes round in circles", () => {
    const circle: unknown[] = [];
    circle.push(circle);
    for (const value of [circle, () => 1, Symbol("x")])
      expect(errorCodeOf(thrown(() => canonicalText(value)))).toBe("orchestration.bad-option");
  });
});

function thrown(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
