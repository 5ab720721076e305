import type { Sys, TaskId } from "@glia-os/kernel";
import { createTestKernel, runToCompletion, SeededRandom } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { codeOf } from "./run.ts";

function order(choose?: (ready: number) => number): string {
  const { kernel, clock } = createTestKernel(1, choose === undefined ? {} : { choose });
  const ran: string[] = [];
  for (const name of ["a", "b", "c", "d"])
    kernel.spawn(function* (sys) {
      ran.push(name);
      yield* sys.yield();
      ran.push(name);
    });
  kernel.spawn(
    function* () {
      ran.push("!");
    },
    { priority: "high" },
  );
  expect(runToCompletion(kernel, clock)).toBe("ended");
  return ran.join("");
}

test("CO1: a choose port picks among the ready tasks of one level, never across levels", () => {
  expect(order()).toBe("!abcdabcd");
  expect(order(() => 0)).toBe("!abcdabcd");
  expect(order((ready) => ready - 1)).toBe("!ddccbbaa");
  const random = new SeededRandom(7);
  const seeded = order((ready) => random.uint32() % ready);
  expect(seeded[0]).toBe("!");
  expect([...seeded].sort().join("")).toBe("!aabbccdd");
});

test.each([-1, 4, 0.5, Number.NaN])("a choice of %s among four is refused and loses no task", (chosen) => {
  let bad = true;
  const { kernel, clock } = createTestKernel(1, { choose: () => (bad ? chosen : 0) });
  for (let i = 0; i < 4; i++) kernel.spawn(function* () {});
  expect(codeOf(() => kernel.runSlice())).toBe("kernel.bad-option");
  bad = false;
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(kernel.counters().finished).toBe(4);
});

test("TS1: a tracer hears exactly what the ring holds, with whole task ids", () => {
  const heard: [TaskId, string, number][] = [];
  const { kernel, clock } = createTestKernel(1, {
    tracer: { syscall: (task, _, outcome, argument) => heard.push([task, outcome, argument]) },
  });
  const task = kernel.spawn(function* (sys: Sys) {
    const box = sys.mailbox<number>();
    sys.trySend(box, 1);
    yield* sys.receive(box);
    yield* sys.sleep(5);
    expect(codeOf(() => sys.grant(sys.getTid(), (box + 1) as never, 1))).toBe("kernel.dead-handle");
  });
  runToCompletion(kernel, clock);
  expect(heard.map(([id, outcome, argument]) => [id % 2 ** 32, outcome, argument >>> 0])).toEqual(
    kernel.trace().map(({ task, outcome, argument }) => [task, outcome, argument]),
  );
  expect(heard.map(([, outcome]) => outcome)).toContain("parked");
  expect(heard.map(([, outcome]) => outcome)).toContain("refused");
  expect(heard.every(([id]) => id === task)).toBe(true);
});

test("the path of a live task is known from outside", () => {
  const { kernel, clock } = createTestKernel();
  const ids: TaskId[] = [];
  const parent = kernel.spawn(function* (sys) {
    ids.push(
      sys.spawn(function* (sys) {
        yield* sys.sleep(1);
      }),
    );
    yield* sys.sleep(1);
  });
  kernel.runSlice();
  expect([kernel.pathOf(parent), kernel.pathOf(ids[0]!)]).toEqual(["/0", "/0/0"]);
  runToCompletion(kernel, clock);
  for (const id of [parent, 99 as TaskId])
    expect(codeOf(() => kernel.pathOf(id))).toBe("kernel.unknown-task");
});
