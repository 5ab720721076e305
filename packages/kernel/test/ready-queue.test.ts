import fc from "fast-check";
import { expect, test } from "vitest";
import { ReadyQueue, Task, type TaskId } from "../src/internal.ts";

const LEVELS = 5;

function make(id: number, level: number): Task {
  const task = new Task((function* () {})(), level, 0, "", id);
  task.id = id as TaskId;
  return task;
}

type Step = { readonly kind: "push"; readonly level: number } | { readonly kind: "shift" | "remove" };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("push" as const), level: fc.nat(LEVELS - 1) }) },
    { weight: 3, arbitrary: fc.constant<Step>({ kind: "shift" }) },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: "remove" }) },
  ),
  { maxLength: 60 },
);

test("Q1, Q3: whether a task is ready alone or not, the order is by level and then by who came first", () => {
  fc.assert(
    fc.property(steps, fc.nat(), (taken, pick) => {
      const queue = new ReadyQueue(1_000_000);
      let model: Task[] = [];
      let made = 0;
      const next = (): Task | undefined =>
        model.reduce<Task | undefined>(
          (best, task) => (best === undefined || task.level > best.level ? task : best),
          undefined,
        );
      for (const step of taken) {
        if (step.kind === "push") {
          const task = make(++made, step.level);
          model.push(task);
          queue.push(task);
        } else {
          const task = step.kind === "shift" ? next() : model[pick % Math.max(1, model.length)];
          if (step.kind === "shift") expect(queue.shift()).toBe(task ?? null);
          else if (task !== undefined) queue.remove(task);
          model = model.filter((other) => other !== task);
        }
        expect(queue.empty).toBe(model.length === 0);
      }
      const depths = queue.depths();
      for (let level = 0; level < LEVELS; level++)
        expect(depths[level]).toBe(model.filter((task) => task.level === level).length);
      for (let task = next(); task !== undefined; task = next()) {
        expect(queue.shift()).toBe(task);
        model = model.filter((other) => other !== task);
      }
      expect(queue.shift()).toBeNull();
    }),
  );
});

test("Q3: a lone ready task stands in no list, is held back with the others and let go with them", () => {
  const queue = new ReadyQueue(64);
  const [first, second] = [make(1, 2), make(2, 2)];
  queue.push(first);
  expect([first.list, queue.empty]).toEqual([null, false]);
  queue.hold();
  expect(queue.shift()).toBeNull();
  queue.push(second);
  queue.release();
  expect([queue.shift(), queue.shift(), queue.shift()]).toEqual([first, second, null]);
});
