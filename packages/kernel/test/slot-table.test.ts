import fc from "fast-check";
import { expect, test } from "vitest";
import { GENERATION_LIMIT, generationOf, INDEX_LIMIT, SlotTable } from "../src/internal.ts";

test("I2: brute force on one slot: no id of any generation is ever valid again, and the used-up slot is retired", () => {
  const generations = 5000;
  const table = new SlotTable<string>(1, generations);
  const seen = new Set<number>();
  for (let i = 0; i < generations; i++) {
    const id = table.insert(`item ${i}`);
    expect(seen.has(id)).toBe(false);
    if (i % 500 === 0)
      for (const old of seen) if (table.get(old) !== undefined) throw new RangeError(`${old} came back`);
    seen.add(id);
    table.remove(id);
  }
  expect([table.retired, table.live]).toEqual([1, 0]);
  const fresh = table.insert("after retirement");
  expect(seen.has(fresh)).toBe(false);
  expect(fresh % INDEX_LIMIT).toBe(1);
  for (const old of seen) expect(table.get(old)).toBeUndefined();
});

test("I1: ids stay whole numbers below 2^53 up to the last generation of the last index", () => {
  const last = GENERATION_LIMIT * INDEX_LIMIT + (INDEX_LIMIT - 1);
  expect(last).toBe(Number.MAX_SAFE_INTEGER);
  expect(generationOf(last)).toBe(GENERATION_LIMIT);
  expect(last & (INDEX_LIMIT - 1)).toBe(INDEX_LIMIT - 1);
});

test("I3: a full table refuses, and takes again after a removal", () => {
  const table = new SlotTable<string>(2);
  const [a, b] = [table.insert("a"), table.insert("b")];
  expect(table.insert("c")).toBe(0);
  expect(table.remove(a)).toBe(true);
  expect(table.remove(a)).toBe(false);
  const c = table.insert("c");
  expect([table.get(a), table.get(b), table.get(c), [...table.values()]]).toEqual([
    undefined,
    "b",
    "c",
    ["c", "b"],
  ]);
});

test("any order of inserts and removals agrees with a map, and anything else is no id", () => {
  const step = fc.record({ remove: fc.boolean(), pick: fc.nat() });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.array(fc.double(), { maxLength: 10 }),
      (steps, strays) => {
        const table = new SlotTable<number>(16, 3);
        const model = new Map<number, number>();
        const ended: number[] = [];
        for (const [i, { remove, pick }] of steps.entries()) {
          const id = [...model.keys()][pick % Math.max(1, model.size)];
          if (remove && id !== undefined) {
            table.remove(id);
            model.delete(id);
            ended.push(id);
          } else if (model.size < 16) model.set(table.insert(i), i);
        }
        for (const [id, item] of model) expect(table.get(id)).toBe(item);
        for (const id of ended) expect(table.get(id)).toBeUndefined();
        for (const stray of strays) if (!model.has(stray)) expect(table.get(stray)).toBeUndefined();
        expect(table.live).toBe(model.size);
      },
    ),
  );
});
