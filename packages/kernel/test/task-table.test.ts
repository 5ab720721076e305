import fc from "fast-check";
import { expect, test } from "vitest";
import {
  FINISHED,
  GENERATION_LIMIT,
  generationOf,
  INDEX_LIMIT,
  READY,
  Task,
  type TaskId,
  TaskTable,
} from "../src/internal.ts";

const routine = (function* () {})();

function insert(table: TaskTable, parent = 0): Task {
  const task = new Task(routine, 1, parent, "", 0);
  task.id = table.insert(task) as TaskId;
  return task;
}

test("I1: ids stay whole numbers below 2^53 up to the last generation of the last index", () => {
  const last = GENERATION_LIMIT * INDEX_LIMIT + (INDEX_LIMIT - 1);
  expect(last).toBe(Number.MAX_SAFE_INTEGER);
  expect(generationOf(last)).toBe(GENERATION_LIMIT);
  expect(last & (INDEX_LIMIT - 1)).toBe(INDEX_LIMIT - 1);
});

test("I2: brute force on one slot: no id of any generation is ever valid again, and the used-up slot is retired", () => {
  const generations = 5000;
  const table = new TaskTable(1, 0, generations);
  const seen = new Set<number>();
  for (let i = 0; i < generations; i++) {
    const task = insert(table);
    expect(seen.has(task.id)).toBe(false);
    if (i % 500 === 0)
      for (const old of seen) if (table.get(old) !== undefined) throw new RangeError(`${old} came back`);
    seen.add(task.id);
    table.end(task, { kind: "ok", value: i });
  }
  const fresh = insert(table);
  expect([seen.has(fresh.id), fresh.id % INDEX_LIMIT]).toEqual([false, 1]);
  for (const old of seen) expect(table.get(old)).toBeUndefined();
});

test("I4: an ended task leaves its exit and its parent, and no task object", () => {
  const table = new TaskTable(4, 4);
  const task = insert(table, 77);
  expect(table.get(task.id)).toBe(task);
  expect([table.exitOf(task.id), table.live(task.id)]).toEqual([undefined, task]);
  table.end(task, { kind: "ok", value: "done" });
  expect([table.exitOf(task.id), table.live(task.id)]).toEqual([{ kind: "ok", value: "done" }, undefined]);
  const described = table.get(task.id);
  expect(described).not.toBe(task);
  expect(described).toMatchObject({ id: task.id, parent: 77, state: FINISHED });
  expect(described?.value).toEqual({ kind: "ok", value: "done" });
  expect([task.state, [...table.values()]]).toEqual([READY, []]);
});

test("every kind of exit comes back as it was, undefined values included", () => {
  const table = new TaskTable(8, 8);
  const exits = [
    { kind: "ok", value: undefined },
    { kind: "failed", error: new RangeError("no") },
    { kind: "cancelled", reason: "late" },
    { kind: "killed", reason: undefined },
  ] as const;
  for (const exit of exits) {
    const task = insert(table);
    table.end(task, exit);
    expect(table.exitOf(task.id)).toEqual(exit);
  }
});

test("I5: with no exits kept, an end is forgotten at once and its id is never valid again", () => {
  const table = new TaskTable(1, 0);
  const seen = new Set<number>();
  for (let i = 0; i < 2000; i++) {
    const task = insert(table);
    expect(seen.has(task.id)).toBe(false);
    seen.add(task.id);
    table.end(task, { kind: "ok", value: i });
    expect(table.get(task.id)).toBeUndefined();
  }
  const fresh = insert(table);
  for (const old of seen) expect([table.get(old), table.exitOf(old)]).toEqual([undefined, undefined]);
  expect(table.get(fresh.id)).toBe(fresh);
});

test("I3: a full table refuses, and what is no id finds nothing", () => {
  const table = new TaskTable(2, 1);
  const tasks = [insert(table), insert(table), insert(table)];
  expect(table.insert(new Task(routine, 1, 0, "", 0))).toBe(0);
  for (const stray of [0, -1, 1.5, Number.NaN, 2 ** 60, tasks[0]!.id + 0.5])
    expect([table.get(stray), table.live(stray), table.exitOf(stray)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
});

test("I5: any order of starts and ends agrees with a model that keeps the newest ends", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 300 }), fc.integer({ min: 0, max: 6 }), (picks, kept) => {
      const table = new TaskTable(8, kept);
      const live: Task[] = [];
      const ended: { id: number; value: number }[] = [];
      for (const [i, pick] of picks.entries()) {
        if (pick % 2 === 0 && live.length < 8) live.push(insert(table, i));
        else if (live.length > 0) {
          const [task] = live.splice(pick % live.length, 1) as [Task];
          table.end(task, { kind: "ok", value: i });
          ended.push({ id: task.id, value: i });
        }
        const held = ended.slice(Math.max(0, ended.length - kept));
        for (const { id, value } of held) expect(table.exitOf(id)).toEqual({ kind: "ok", value });
        for (const { id } of ended.slice(0, ended.length - held.length))
          expect(table.get(id)).toBeUndefined();
        for (const task of live) expect(table.get(task.id)).toBe(task);
      }
    }),
  );
});
