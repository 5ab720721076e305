import { type Exit, type Sys, TaskCancelledError, type TaskId, TaskKilledError } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { resultOf, run } from "./run.ts";

test("a child's return value reaches whoever waits, before or after the end", () => {
  const exits = resultOf(function* (sys) {
    const late = sys.spawn(function* () {
      return "early bird";
    });
    const slow = sys.spawn(function* (sys) {
      yield* sys.sleep(5);
      return 42;
    });
    const first = yield* sys.wait(slow);
    return [first, yield* sys.wait(late), yield* sys.wait(late)];
  });
  expect(exits).toEqual([
    { kind: "ok", value: 42 },
    { kind: "ok", value: "early bird" },
    { kind: "ok", value: "early bird" },
  ]);
});

test("all tasks that wait for one end are told, not only the last", () => {
  const told = resultOf(function* (sys) {
    const target = sys.spawn(function* (sys) {
      yield* sys.sleep(1);
      return "done";
    });
    const seen: Exit[] = [];
    const waiters = Array.from({ length: 5 }, () =>
      sys.spawn(function* (sys) {
        seen.push(yield* sys.wait(target));
      }),
    );
    for (const waiter of waiters) yield* sys.wait(waiter);
    return seen;
  });
  expect(told).toEqual(Array(5).fill({ kind: "ok", value: "done" }));
});

test("S4: what a task throws ends that task and no other", () => {
  const boom = new RangeError("boom");
  const { exit, outcome } = run(function* (sys) {
    const bad = sys.spawn(function* () {
      throw boom;
    });
    const good = sys.spawn(function* (sys) {
      yield* sys.sleep(1);
      return "still here";
    });
    return [yield* sys.wait(bad), yield* sys.wait(good)];
  });
  expect(outcome).toBe("ended");
  expect(exit).toEqual({
    kind: "ok",
    value: [
      { kind: "failed", error: boom },
      { kind: "ok", value: "still here" },
    ],
  });
});

test("a thrown value that is no error becomes a typed error that carries it", () => {
  const exit = resultOf(function* (sys) {
    const bad = sys.spawn(function* () {
      throw "just text";
    });
    return yield* sys.wait(bad);
  });
  expect(exit).toMatchObject({
    kind: "failed",
    error: { code: "kernel.threw-non-error", cause: "just text" },
  });
});

function* inner(sys: Sys, log: string[]) {
  try {
    yield* sys.sleep(1_000_000);
    log.push("inner went on");
  } finally {
    log.push("inner finally");
  }
}

function* middle(sys: Sys, log: string[]) {
  try {
    yield* inner(sys, log);
    log.push("middle went on");
  } finally {
    log.push("middle finally");
  }
}

test("killing a task inside a sub-generator unwinds its whole generator stack, runs finally, and removes it from every queue", () => {
  const log: string[] = [];
  const { exit, kernel, clock } = run(function* (sys) {
    const victim = sys.spawn(function* (sys) {
      try {
        yield* middle(sys, log);
        log.push("outer went on");
      } finally {
        log.push("outer finally");
      }
    });
    yield* sys.sleep(1);
    sys.kill(victim, "enough");
    return yield* sys.wait(victim);
  });
  expect(exit).toEqual({ kind: "ok", value: { kind: "killed", reason: "enough" } });
  expect(log).toEqual(["inner finally", "middle finally", "outer finally"]);
  expect(kernel.dumpState().timers).toBe(0);
  expect(clock.monotonicMs()).toBe(1);
});

test("a killed task that waits for a message gets none: the next receiver does", () => {
  const got = resultOf(function* (sys) {
    const box = sys.mailbox<string>();
    const names: string[] = [];
    const receiver = (name: string) =>
      sys.spawn(
        function* (sys, inbox) {
          names.push(`${name} ${yield* sys.receive(inbox)}`);
        },
        { give: [box] },
      );
    const first = receiver("first");
    const second = receiver("second");
    yield* sys.sleep(1);
    sys.kill(first);
    yield* sys.send(box, "hello");
    yield* sys.wait(second);
    return names;
  });
  expect(got).toEqual(["second hello"]);
});

test("finally of a killed task may do what does not wait, and is refused what waits", () => {
  const log: unknown[] = [];
  resultOf(function* (sys) {
    const box = sys.mailbox<string>();
    const victim = sys.spawn(
      function* (sys, out) {
        try {
          yield* sys.sleep(100);
        } finally {
          sys.trySend(out, "cleaned up");
          try {
            yield* sys.sleep(100);
          } catch (error) {
            log.push(error);
          }
        }
      },
      { give: [box] },
    );
    yield* sys.yield();
    sys.kill(victim);
    log.push(yield* sys.receive(box));
    log.push((yield* sys.wait(victim)).kind);
  });
  expect(log[0]).toBeInstanceOf(TaskKilledError);
  expect(log.slice(1)).toEqual(["cleaned up", "killed"]);
});

test("a task that never stops yielding while it is unwound is dropped", () => {
  const exit = resultOf(function* (sys) {
    const stubborn = sys.spawn(function* (): Generator<never, void, unknown> {
      for (;;) {
        try {
          yield undefined as never;
        } finally {
        }
      }
    });
    yield* sys.yield();
    sys.kill(stubborn, "stop");
    return yield* sys.wait(stubborn);
  });
  expect(exit).toEqual({ kind: "killed", reason: "stop" });
});

test("a cancelled task sees the cancellation at the syscall it waits in, may clean up with waits, and ends as cancelled", () => {
  const log: string[] = [];
  const { exit, clock } = run(function* (sys) {
    const child = sys.spawn(function* (sys) {
      try {
        yield* sys.sleep(1000);
      } finally {
        log.push(`asked: ${sys.cancelRequested}`);
        yield* sys.sleep(5);
        log.push("cleaned up");
      }
    });
    yield* sys.sleep(1);
    sys.cancel(child, "no longer needed");
    return yield* sys.wait(child);
  });
  expect(exit).toEqual({ kind: "ok", value: { kind: "cancelled", reason: "no longer needed" } });
  expect(log).toEqual(["asked: true", "cleaned up"]);
  expect(clock.monotonicMs()).toBe(6);
});

test("a cancellation of a busy task shows at its next blocking syscall, once", () => {
  const seen: string[] = [];
  resultOf(function* (sys) {
    const box = sys.mailbox<string>();
    const child = sys.spawn(
      function* (sys, inbox) {
        seen.push(yield* sys.receive<string>(inbox as never));
        try {
          yield* sys.yield();
        } catch (error) {
          seen.push(error instanceof TaskCancelledError ? "cancelled" : "other");
        }
        yield* sys.sleep(1);
        return "went on";
      },
      { give: [box] },
    );
    yield* sys.sleep(1);
    yield* sys.send(box, "message");
    sys.cancel(child);
    const exit = yield* sys.wait(child);
    seen.push(exit.kind);
  });
  expect(seen).toEqual(["message", "cancelled", "ok"]);
});

test("a task cancelled before it ran never runs", () => {
  let ran = false;
  const exit = resultOf(function* (sys) {
    const child = sys.spawn(function* () {
      ran = true;
    });
    sys.cancel(child, "changed my mind");
    return yield* sys.wait(child);
  });
  expect([ran, exit]).toEqual([false, { kind: "cancelled", reason: "changed my mind" }]);
});

test("exit ends a task from any depth with its value; finally runs and cannot wait", () => {
  const log: string[] = [];
  const exit = resultOf(function* (sys) {
    const child = sys.spawn(function* (sys) {
      function* deep() {
        try {
          yield* sys.exit("the value");
        } finally {
          log.push("cleaned up");
          yield* sys.sleep(3);
          log.push("waited");
        }
      }
      try {
        yield* deep();
      } finally {
        log.push("outer too");
      }
      log.push("went on");
    });
    return yield* sys.wait(child);
  });
  expect([exit, log]).toEqual([{ kind: "ok", value: "the value" }, ["cleaned up", "outer too"]]);
});

test("a task that kills itself runs its finally and ends as killed, even when it catches the error", () => {
  const exit = resultOf(function* (sys) {
    const child = sys.spawn(function* (sys) {
      try {
        sys.kill(sys.getTid(), "tired");
      } catch {
        yield* sys.sleep(1);
      }
    });
    return yield* sys.wait(child);
  });
  expect(exit).toEqual({ kind: "killed", reason: "tired" });
});

test("waitAny gives the first end and leaves the others alone", () => {
  const result = resultOf(function* (sys) {
    const napping = (ms: number) =>
      sys.spawn(function* (sys) {
        yield* sys.sleep(ms);
        return ms;
      });
    const ids: TaskId[] = [napping(30), napping(10), napping(20)];
    const [first, exit] = yield* sys.waitAny(ids);
    const rest = yield* sys.wait(ids[0]!);
    return [first === ids[1], exit, rest, sys.now()];
  });
  expect(result).toEqual([true, { kind: "ok", value: 10 }, { kind: "ok", value: 30 }, 30]);
});

test("a task may end only itself and its own children", () => {
  const codes = resultOf(function* (sys) {
    const sibling = sys.spawn(function* (sys) {
      yield* sys.sleep(5);
      return "unharmed";
    });
    const attacker = sys.spawn(function* (sys) {
      const codes: string[] = [];
      for (const act of [() => sys.kill(sibling), () => sys.cancel(sibling)]) {
        try {
          act();
        } catch (error) {
          codes.push((error as { code: string }).code);
        }
      }
      return codes;
    });
    return [yield* sys.wait(attacker), yield* sys.wait(sibling)];
  });
  expect(codes).toEqual([
    { kind: "ok", value: ["kernel.not-parent", "kernel.not-parent"] },
    { kind: "ok", value: "unharmed" },
  ]);
});

test("ends beyond the kept number are forgotten, oldest first, and their ids never name another task", () => {
  const { kernel, clock } = createTestKernel(1, { endedLimit: 2, taskLimit: 4 });
  const ids = Array.from({ length: 4 }, (_, i) => {
    const id = kernel.spawn(function* () {
      return i;
    });
    runToCompletion(kernel, clock);
    return id;
  });
  expect(() => kernel.exitOf(ids[0]!)).toThrow(expect.objectContaining({ code: "kernel.unknown-task" }));
  expect(kernel.exitOf(ids[3]!)).toEqual({ kind: "ok", value: 3 });
  expect(new Set(ids).size).toBe(4);
});

test("T2: every state change follows the table, and an observer sees each of them", () => {
  const seen: string[] = [];
  const observer = { transition: (_: TaskId, from: string, to: string) => seen.push(`${from}>${to}`) };
  run(
    function* (sys) {
      yield* sys.sleep(1);
      yield* sys.wait(sys.spawn(function* () {}));
    },
    { observer },
  );
  expect(new Set(seen)).toEqual(
    new Set([
      "ready>running",
      "running>sleeping",
      "sleeping>ready",
      "running>waiting",
      "waiting>ready",
      "running>finished",
    ]),
  );
});

test("any tree of tasks that sleep, fail, are killed or cancelled comes to rest with every finally run once", () => {
  const action = fc.record({
    sleepMs: fc.integer({ min: 0, max: 5 }),
    depth: fc.integer({ min: 0, max: 4 }),
    fate: fc.constantFrom("return", "throw", "kill", "cancel"),
    afterMs: fc.integer({ min: 0, max: 6 }),
  });
  fc.assert(
    fc.property(fc.array(action, { minLength: 1, maxLength: 20 }), (actions) => {
      const opened: number[] = [];
      const closed: number[] = [];
      const { outcome, exit, kernel } = run(function* (sys) {
        const nest = function* (sys: Sys, i: number, depth: number): ReturnType<typeof inner> {
          opened.push(i);
          try {
            if (depth > 0) yield* nest(sys, i, depth - 1);
            else yield* sys.sleep(actions[i]!.sleepMs);
          } finally {
            closed.push(i);
          }
        };
        const children = actions.map(({ depth, fate }, i) =>
          sys.spawn(function* (sys) {
            yield* nest(sys, i, depth);
            if (fate === "throw") throw new RangeError("fate");
          }),
        );
        const reaper = sys.spawn(function* () {});
        yield* sys.wait(reaper);
        for (const [i, { fate, afterMs }] of actions.entries()) {
          yield* sys.sleep(afterMs);
          if (fate === "kill") sys.kill(children[i]!);
          if (fate === "cancel") sys.cancel(children[i]!);
        }
        const kinds: string[] = [];
        for (const child of children) kinds.push((yield* sys.wait(child)).kind);
        return kinds;
      });
      expect(outcome).toBe("ended");
      expect(closed.toSorted()).toEqual(opened.toSorted());
      expect(exit).toMatchObject({ kind: "ok" });
      expect(kernel.dumpState()).toMatchObject({ tasks: [], timers: 0 });
    }),
  );
});
