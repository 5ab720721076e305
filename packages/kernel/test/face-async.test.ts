import {
  after,
  Budget,
  type Exit,
  type Handle,
  type Operation,
  receiveFrom,
  type Sys,
  TaskCancelledError,
  type TaskId,
  TaskKilledError,
} from "@glia-os/kernel";
import { type AsyncSys, asyncProgram, type WaitingSyscall } from "@glia-os/kernel/face";
import { createTestKernel, runToCompletion, runWithMicrotasks } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf } from "./run.ts";
import { asyncResultOf, runAsync, turn } from "./run-async.ts";

// The syscalls of `Sys` that wait and those that `AsyncSys` redefines are the same: each line fails to compile otherwise.
type Waits = {
  [Name in keyof Sys]: Sys[Name] extends (...args: never[]) => infer Result
    ? Result extends Operation<unknown>
      ? Name
      : never
    : never;
}[keyof Sys];
const everyWaitingSyscall: Record<Waits, true> = {} as Record<WaitingSyscall, true>;
const noOther: Record<WaitingSyscall, true> = {} as Record<Waits, true>;

test("an async program waits in syscalls and uses plain ones as a generator does", async () => {
  expect([everyWaitingSyscall, noOther]).toEqual([{}, {}]);
  const { exit, outcome, clock } = await runAsync(
    asyncProgram(async (sys) => {
      const box = sys.mailbox<string>();
      const child = sys.spawn(
        asyncProgram(async (sys, out: Handle<string>) => {
          await sys.sleep(5);
          await sys.send(out, "late");
          return sys.getTid();
        }),
        { give: [box] },
      );
      sys.trySend(box, "at once");
      const first = await sys.receive(box);
      const second = await sys.receive(box);
      const end = await sys.wait<TaskId>(child);
      const [index] = await sys.select([receiveFrom(box), after(10)]);
      return [first, second, end.kind === "ok" && end.value === child, index, sys.cancelRequested];
    }),
  );
  expect([exit, outcome, clock.monotonicMs()]).toEqual([
    { kind: "ok", value: ["at once", "late", true, 1, false] },
    "ended",
    15,
  ]);
});

test("async and generator tasks call and answer each other", async () => {
  const answers = await asyncResultOf(function* (sys) {
    const asked = sys.mailbox();
    const answered = sys.mailbox();
    sys.spawn(
      asyncProgram(async (sys, inbox: Handle) => {
        for (;;) {
          const call = (await sys.receive(inbox)) as { message: number } & Parameters<AsyncSys["reply"]>[0];
          sys.reply(call, call.message * 2);
        }
      }),
      { give: [asked] },
    );
    const caller = sys.spawn(
      asyncProgram(async (sys, target: Handle) => {
        const seen: unknown[] = [];
        for (let i = 0; i < 300; i++) seen.push(await sys.call(target, i));
        return seen;
      }),
      { give: [asked] },
    );
    const end = (yield* sys.wait<unknown[]>(caller)) as Exit<unknown[]>;
    sys.trySend(answered, "unused");
    return end.kind === "ok" ? end.value : end;
  });
  expect(answers).toEqual(Array.from({ length: 300 }, (_, i) => 2 * i));
});

test("errors of syscalls reject at the await, and what leaves the function ends its task only", async () => {
  const { exit } = await runAsync(function* (sys) {
    const bad = sys.spawn(
      asyncProgram(async (sys) => {
        const refused = await sys.sleep(-1).catch((error: unknown) => (error as { code: string }).code);
        const stray = codeOf(() => sys.trySend(12345 as Handle, 1));
        throw new RangeError(`${refused} ${stray}`);
      }),
    );
    const text = sys.spawn(
      asyncProgram(async () => {
        throw "just text";
      }),
    );
    return [yield* sys.wait(bad), yield* sys.wait(text)];
  });
  expect(exit).toMatchObject({
    kind: "ok",
    value: [
      { kind: "failed", error: { message: "kernel.bad-duration kernel.dead-handle" } },
      { kind: "failed", error: { code: "kernel.threw-non-error" } },
    ],
  });
});

test("F2: a foreign await fails the task with kernel.foreign-await, and the function has no authority afterwards", async () => {
  let later: string | undefined;
  let release = (): void => undefined;
  const { exit, outcome } = await runAsync(
    asyncProgram(async (sys) => {
      await sys.sleep(1);
      await new Promise<void>((resolve) => (release = resolve));
      later = codeOf(() => sys.now());
    }),
  );
  expect([outcome, exit]).toMatchObject([
    "ended",
    { kind: "failed", error: { code: "kernel.foreign-await" } },
  ]);
  expect((exit as { error: { fix: string } }).error.fix).toContain("sys.external");
  release();
  await turn();
  expect(later).toBe("kernel.foreign-await");
});

test("F2: a foreign await before the first syscall, and one on a timer, are found as well; other tasks go on", async () => {
  const exits = await asyncResultOf(function* (sys) {
    const first = sys.spawn(asyncProgram(() => new Promise<never>(() => undefined)));
    const timer = sys.spawn(
      asyncProgram(async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }),
    );
    const good = sys.spawn(
      asyncProgram(async (sys) => {
        await sys.sleep(3);
        return "fine";
      }),
    );
    return [yield* sys.wait(first), yield* sys.wait(timer), yield* sys.wait(good)];
  });
  expect(exits).toMatchObject([
    { kind: "failed", error: { code: "kernel.foreign-await" } },
    { kind: "failed", error: { code: "kernel.foreign-await" } },
    { kind: "ok", value: "fine" },
  ]);
});

test("awaiting what settles by microtasks alone is not foreign: nested async functions and settled promises", async () => {
  async function nested(sys: AsyncSys, depth: number): Promise<number> {
    if (depth === 0) {
      await sys.sleep(1);
      return 0;
    }
    return 1 + (await nested(sys, depth - 1));
  }
  const depth = await asyncResultOf(
    asyncProgram(async (sys) => {
      await null;
      await Promise.resolve();
      return nested(sys, 50);
    }),
  );
  expect(depth).toBe(50);
});

test("F4: a kill rejects the pending await with TaskKilledError, runs finally blocks, and lets them wait no more", async () => {
  const log: string[] = [];
  const { exit, clock, kernel } = await runAsync(function* (sys) {
    const victim = sys.spawn(
      asyncProgram(async (sys) => {
        const inner = async () => {
          try {
            await sys.sleep(1000);
            log.push("went on");
          } catch (error) {
            log.push(error instanceof TaskKilledError ? "killed" : "?");
            throw error;
          } finally {
            sys.log("info", "plain calls go on");
            await sys.sleep(1).catch((error: unknown) => log.push((error as { code: string }).code));
            log.push("inner finally");
          }
        };
        try {
          await inner();
        } finally {
          log.push("outer finally");
        }
      }),
    );
    yield* sys.sleep(1);
    sys.kill(victim, "enough");
    const end = yield* sys.wait(victim);
    log.push("told");
    return end;
  });
  expect(exit).toEqual({ kind: "ok", value: { kind: "killed", reason: "enough" } });
  expect(log).toEqual(["killed", "kernel.killed", "inner finally", "outer finally", "told"]);
  expect([clock.monotonicMs(), kernel.dumpState().timers]).toEqual([1, 0]);
});

test("F4: a killed function that goes on waiting for ever is dropped, and one that never started is simply gone", async () => {
  let refusals = 0;
  let started = false;
  const exits = await asyncResultOf(function* (sys) {
    const stubborn = sys.spawn(
      asyncProgram(async (sys) => {
        for (;;) {
          try {
            await sys.sleep(1);
          } catch {
            refusals++;
          }
        }
      }),
    );
    yield* sys.yield();
    const fresh = sys.spawn(
      asyncProgram(async () => {
        started = true;
      }),
    );
    sys.kill(stubborn, "a");
    sys.kill(fresh, "b");
    return [yield* sys.wait(stubborn), yield* sys.wait(fresh)];
  });
  expect(exits).toEqual([
    { kind: "killed", reason: "a" },
    { kind: "killed", reason: "b" },
  ]);
  expect([refusals, started]).toEqual([101, false]);
});

test("cancel shows once: at the syscall it waits in, or at the next one; then the task may wait again", async () => {
  const seen: unknown[] = [];
  const exits = await asyncResultOf(function* (sys) {
    const waiting = sys.spawn(
      asyncProgram(async (sys) => {
        try {
          await sys.sleep(1000);
        } catch (error) {
          seen.push(error instanceof TaskCancelledError && error.reason, sys.cancelRequested);
          await sys.sleep(7);
          seen.push(sys.now());
          throw error;
        }
      }),
    );
    const busy = sys.spawn(
      asyncProgram(async (sys) => {
        const before = sys.cancelRequested;
        sys.cancel(sys.getTid(), "own wish");
        const after = sys.cancelRequested;
        const first = await sys.yield().then(
          () => "nothing",
          () => "cancelled",
        );
        await sys.sleep(1);
        return [before, after, first];
      }),
    );
    yield* sys.sleep(1);
    sys.cancel(waiting, "stop");
    return [yield* sys.wait(waiting), yield* sys.wait(busy)];
  });
  expect(exits).toEqual([
    { kind: "cancelled", reason: "stop" },
    { kind: "ok", value: [false, true, "cancelled"] },
  ]);
  expect(seen).toEqual(["stop", true, 8]);
});

test("exit ends the task with a value from any depth, and its finally blocks run", async () => {
  const log: string[] = [];
  const { exit } = await runAsync(
    asyncProgram(async (sys): Promise<string> => {
      try {
        await (async () => sys.exit("from below"))();
      } finally {
        log.push("cleaned");
      }
      return "never";
    }),
  );
  expect([exit, log]).toEqual([{ kind: "ok", value: "from below" }, ["cleaned"]]);
});

test("a syscall that is not awaited: later calls are refused, and ending so fails the task", async () => {
  const { exit, clock } = await runAsync(function* (sys) {
    const twice = sys.spawn(
      asyncProgram(async (sys) => {
        await Promise.all([sys.sleep(1), sys.sleep(2)]);
      }),
    );
    const forgot = sys.spawn(
      asyncProgram(async (sys) => {
        sys.sleep(1_000_000);
        return "too early";
      }),
    );
    return [yield* sys.wait(twice), yield* sys.wait(forgot)];
  });
  expect(exit).toMatchObject({
    kind: "ok",
    value: [
      { kind: "failed", error: { code: "kernel.not-awaited" } },
      { kind: "failed", error: { code: "kernel.not-awaited" } },
    ],
  });
  expect(clock.monotonicMs()).toBeLessThan(1_000_000);
});

test("the rejection of a syscall that nobody awaits stays in its task and does not reach the process", async () => {
  const stray: unknown[] = [];
  const listener = (error: unknown) => void stray.push(error);
  process.on("unhandledRejection", listener);
  const { exit } = await runAsync(
    asyncProgram(async (sys) => {
      sys.sleep(-1);
      return "went on";
    }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", listener);
  expect([exit, stray]).toEqual([{ kind: "ok", value: "went on" }, []]);
});

test("F5: the sys of an async task is worth nothing outside of its control", async () => {
  let leaked: AsyncSys | undefined;
  const { kernel, exit } = await runAsync(function* (sys) {
    const owner = sys.spawn(
      asyncProgram(async (sys) => {
        leaked = sys;
        await sys.sleep(5);
      }),
    );
    yield* sys.sleep(1);
    const whileParked = codeOf(() => leaked!.getTid());
    yield* sys.wait(owner);
    return [whileParked, codeOf(() => leaked!.getTid())];
  });
  expect(exit).toEqual({ kind: "ok", value: ["kernel.not-awaited", "kernel.outside-task"] });
  expect(kernel.liveTasks).toBe(0);
});

test("F1: whatever the size of a slice, tasks of both faces take the same turns (fast-check)", async () => {
  const step = fc.record({ pause: fc.integer({ min: 0, max: 3 }), face: fc.boolean() });
  const plans = fc.array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 5 });
  async function logOf(
    plan: readonly { pause: number; face: boolean }[][],
    slice: number,
  ): Promise<string[]> {
    const log: string[] = [];
    const { kernel, clock } = createTestKernel(1);
    plan.forEach((steps, index) => {
      if (steps[0]?.face === true)
        kernel.spawn(
          asyncProgram(async (sys) => {
            for (const { pause } of steps) {
              log.push(`${index} at ${sys.now()}`);
              await (pause === 0 ? sys.yield() : sys.sleep(pause));
            }
          }),
        );
      else
        kernel.spawn(function* (sys) {
          for (const { pause } of steps) {
            log.push(`${index} at ${sys.now()}`);
            yield* pause === 0 ? sys.yield() : sys.sleep(pause);
          }
        });
    });
    for (;;) {
      const end = kernel.runSlice(slice);
      if (end === "microtasks") await turn();
      if (end !== "idle") continue;
      const next = kernel.nextDeadlineMs();
      if (next === undefined) break;
      clock.advanceTo(next);
    }
    expect(kernel.liveTasks).toBe(0);
    return log;
  }
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      expect(await logOf(plan, 1)).toEqual(await logOf(plan, 1000));
    }),
    { numRuns: 60 },
  );
});

test("a shell that lets no microtask run is told so, and nothing is lost", async () => {
  const { kernel, clock } = createTestKernel(1);
  const task = kernel.spawn(asyncProgram(async () => "done"));
  expect(codeOf(() => runToCompletion(kernel, clock))).toBe("kernel.needs-microtasks");
  expect([kernel.runSlice(), kernel.runSlice(), kernel.exitOf(task)]).toEqual([
    "microtasks",
    "microtasks",
    undefined,
  ]);
  expect(await runWithMicrotasks(kernel, clock, turn)).toBe("ended");
  expect(kernel.exitOf(task)).toEqual({ kind: "ok", value: "done" });
});

test("what an async task does between slices is charged to its budget and throttles it", async () => {
  const budget = new Budget({ syscalls: 10, periodMs: 100 });
  const { kernel, clock } = createTestKernel(1);
  kernel.spawn(
    asyncProgram(async (sys) => {
      for (let i = 0; i < 4; i++) {
        for (let k = 0; k < 11; k++) sys.getTid();
        await sys.yield();
      }
    }),
    { budget },
  );
  expect(await runWithMicrotasks(kernel, clock, turn, 1000)).toBe("ended");
  expect(kernel.counters().throttled).toBeGreaterThanOrEqual(3);
  expect(clock.monotonicMs()).toBeGreaterThanOrEqual(300);
});

test("the shell may kill or cancel an async task that has control", async () => {
  const { kernel, clock } = createTestKernel(1);
  const log: string[] = [];
  const body = asyncProgram(async (sys) => {
    await null;
    await sys.sleep(5).catch((error: unknown) => {
      log.push((error as { code: string }).code);
      throw error;
    });
  });
  const killed = kernel.spawn(body);
  const cancelled = kernel.spawn(body);
  expect(kernel.runSlice()).toBe("microtasks");
  kernel.kill(killed, "now");
  await turn();
  expect(kernel.runSlice()).toBe("microtasks");
  kernel.cancel(cancelled, "please");
  expect(await runWithMicrotasks(kernel, clock, turn)).toBe("ended");
  expect(log).toEqual(["kernel.killed", "kernel.cancelled"]);
  expect([kernel.exitOf(killed), kernel.exitOf(cancelled)]).toEqual([
    { kind: "killed", reason: "now" },
    { kind: "cancelled", reason: "please" },
  ]);
});

test("run performs parts written as generators: results, errors, kills and garbage", async () => {
  const log: string[] = [];
  function* part(sys: Sys, ms: number) {
    try {
      yield* sys.sleep(ms);
      yield* sys.sleep(ms);
      return "slept twice";
    } finally {
      log.push("part finally");
    }
  }
  const exits = await asyncResultOf(function* (sys) {
    const good = sys.spawn(asyncProgram((sys) => sys.run((raw) => part(raw, 2))));
    const victim = sys.spawn(asyncProgram((sys) => sys.run((raw) => part(raw, 1000))));
    const garbage = sys.spawn(
      asyncProgram((sys) =>
        sys.run(function* () {
          yield 5 as never;
        }),
      ),
    );
    const gone = sys.spawn(
      asyncProgram((sys) =>
        sys.run(function* (raw) {
          yield* raw.exit("left");
        }),
      ),
    );
    const first = yield* sys.wait(good);
    sys.kill(victim, "x");
    return [first, yield* sys.wait(victim), yield* sys.wait(garbage), yield* sys.wait(gone)];
  });
  expect(exits).toMatchObject([
    { kind: "ok", value: "slept twice" },
    { kind: "killed", reason: "x" },
    { kind: "failed", error: { code: "kernel.bad-yield" } },
    { kind: "ok", value: "left" },
  ]);
  expect(log).toEqual(["part finally", "part finally"]);
});

test("what is no function is no async program", () => {
  expect(codeOf(() => asyncProgram(5 as never))).toBe("kernel.not-a-program");
});
