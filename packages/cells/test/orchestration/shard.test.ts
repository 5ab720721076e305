/** Rendezvous hashing over a view: who owns what, and what moves. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Shards, shard } from "../../src/orchestration/index.ts";
import { codeOf, idOf } from "./ids.ts";

const KEYS = Array.from({ length: 4000 }, (_, n) => `key ${n}`);
const viewOf = (count: number, version = 1) => ({
  version,
  members: Array.from({ length: count }, (_, n) => idOf(n * 7919)),
});
const ownersIn = (members: readonly string[]): string[] => {
  const shards = new Shards({ version: 1, members });
  return KEYS.map((key) => shards.owner(key));
};

describe("shard", () => {
  it("SH1: gives the same owners for the same members in any order, and says of which view", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        fc.string({ minLength: 1 }),
        (members, version, key) => {
          const one = shard({ version, members }, key, 3);
          const other = shard({ version, members: members.toReversed() }, key, 3);
          expect(one).toEqual(other);
          expect(one.view).toBe(version);
          expect(one.owners).toHaveLength(Math.min(3, members.length));
          expect(new Set(one.owners).size).toBe(one.owners.length);
        },
      ),
    );
  });

  it("SH2: a member that comes takes at most 1/n + 5 % of the keys, and none moves between the others", () => {
    for (const count of [1, 2, 3, 5, 10, 20, 50]) {
      const { members } = viewOf(count + 1);
      const [before, after] = [ownersIn(members.slice(0, -1)), ownersIn(members)];
      const moved = KEYS.flatMap((_, at) => (before[at] === after[at] ? [] : [after[at]]));
      expect(new Set(moved).size).toBeLessThanOrEqual(1);
      if (moved.length > 0) expect(moved[0]).toBe(members.at(-1));
      expect(moved.length / KEYS.length).toBeLessThanOrEqual(1 / (count + 1) + 0.05);
      expect(moved.length / KEYS.length).toBeGreaterThan(0.5 / (count + 1));
    }
  });

  it("SH2: when the owner goes, the second responsible takes over each of its keys", () => {
    const { members } = viewOf(9);
    const shards = new Shards({ version: 1, members });
    for (const key of KEYS.slice(0, 500)) {
      const [owner, second] = shards.of(key, 2).owners;
      const left = new Shards({ version: 2, members: members.filter((member) => member !== owner) });
      expect(left.owner(key)).toBe(second);
    }
  });

  it("spreads keys over members about evenly, also for names that differ in one letter", () => {
    for (const members of [
      viewOf(10).members,
      [..."abcdefghij"],
      Array.from({ length: 10 }, (_, n) => `worker-${n}`),
    ]) {
      const counts = new Map<string, number>();
      for (const owner of ownersIn(members)) counts.set(owner, (counts.get(owner) ?? 0) + 1);
      for (const member of members) {
        expect(counts.get(member)).toBeGreaterThan(0.75 * 400);
        expect(counts.get(member)).toBeLessThan(1.25 * 400);
      }
    }
  });

  it("refuses an empty view, a member named twice, an empty key and one that is too long", () => {
    const view = viewOf(3);
    expect(codeOf(() => shard({ version: 1, members: [] }, "k"))).toBe("orchestration.bad-option");
    expect(codeOf(() => shard({ version: 1, members: ["a", "a"] }, "k"))).toBe("orchestration.bad-option");
    expect(codeOf(() => shard({ version: -1, members: ["a"] }, "k"))).toBe("orchestration.bad-option");
    expect(codeOf(() => shard(view, ""))).toBe("orchestration.bad-option");
    expect(codeOf(() => shard(view, "k".repeat(1025)))).toBe("orchestration.bad-option");
    expect(codeOf(() => shard(view, "k", 0))).toBe("orchestration.bad-option");
    expect(
      codeOf(() => shard({ version: 1, members: Array.from({ length: 10_001 }, (_, n) => `${n}`) }, "k")),
    ).toBe("orchestration.bad-option");
  });
});
