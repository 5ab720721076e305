import { GliaError } from "@glia-os/abi/errors";
import { CallTimeoutError, type Sys } from "@glia-os/kernel";
import { backoffMs, retry, withDeadline } from "@glia-os/kernel/retry";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { resultOf, run } from "./run.ts";

/** A source that always gives the same word. */
const fixed = (word: number) => ({
  uint32: () => word,
  bytes: (target: Uint8Array) => target,
  fork: () => fixed(word),
});

test("R1: an error marked retryable is tried again up to the attempts, and waits grow twofold to the bound", () => {
  const { kernel, clock } = createTestKernel();
  const at: number[] = [];
  const task = kernel.spawn(function* (sys) {
    yield* retry(sys, { attempts: 6, baseMs: 100, maxMs: 1000, random: fixed(0x80000000) }, function* () {
      at.push(clock.monotonicMs());
      throw new CallTimeoutError(1);
    });
  });
  runToCompletion(kernel, clock);
  // Half of 100, 200, 400, 800, 1000.
  expect(at).toEqual([0, 50, 150, 350, 750, 1250]);
  expect(kernel.exitOf(task)).toMatchObject({ kind: "failed", error: { code: "kernel.call-timeout" } });
});

test("R3: the last error is thrown unchanged; a later success is the result", () => {
  const last = new CallTimeoutError(3);
  const values = resultOf(function* (sys) {
    const errors = [new CallTimeoutError(1), new CallTimeoutError(2), last];
    let caught: unknown;
    try {
      yield* retry(sys, { attempts: 3 }, function* (n) {
        throw errors[n - 1];
      });
    } catch (error) {
      caught = error;
    }
    const value = yield* retry(sys, { attempts: 3 }, function* (n) {
      if (n < 3) throw new CallTimeoutError(n);
      return `attempt ${n}`;
    });
    return [caught === last, value];
  });
  expect(values).toEqual([true, "attempt 3"]);
});

test("R1: other errors are not retried, unless a predicate says so; a predicate may also refuse", () => {
  const attempts = (error: unknown, retryable?: (error: unknown) => boolean) =>
    resultOf(function* (sys) {
      let made = 0;
      try {
        yield* retry(sys, { attempts: 4, ...(retryable && { retryable }) }, function* () {
          made++;
          throw error;
        });
      } catch {}
      return made;
    });
  expect(attempts(new RangeError("no"))).toBe(1);
  expect(attempts(new RangeError("yes"), (error) => error instanceof RangeError)).toBe(4);
  expect(attempts(new CallTimeoutError(1), () => false)).toBe(1);
  expect(attempts("a text")).toBe(1);
  expect(attempts({ retryable: true })).toBe(4);
});

test("R1, R2: a cancelled or killed task does not try again, whatever the predicate says", () => {
  for (const end of ["cancel", "kill"] as const) {
    let made = 0;
    const { exit } = run(function* (sys) {
      const child = sys.spawn(function* (sys) {
        yield* retry(sys, { attempts: 100, retryable: () => true }, function* () {
          made++;
          yield* sys.sleep(1000);
        });
      });
      yield* sys.sleep(1);
      sys[end](child);
      return (yield* sys.wait(child)).kind;
    });
    expect([exit, made]).toEqual([{ kind: "ok", value: end === "kill" ? "killed" : "cancelled" }, 1]);
  }
});

test("full jitter: every wait is from 0 to its bound, and seeded randomness gives the same waits again", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 1e6, noNaN: true }),
      fc.double({ min: 1, max: 100, noNaN: true }),
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 0, max: 0xffffffff }),
      (baseMs, factor, failures, word) => {
        const wait = backoffMs({ baseMs, maxMs: baseMs * factor }, failures, word);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThan(Math.min(baseMs * factor, baseMs * 2 ** (failures - 1)));
      },
    ),
  );
  const waits = (seed: number) => {
    const { kernel, clock } = createTestKernel(seed);
    const at: number[] = [];
    kernel.spawn(function* (sys) {
      yield* retry(sys, { attempts: 8 }, function* () {
        at.push(clock.monotonicMs());
        throw new CallTimeoutError(1);
      });
    });
    runToCompletion(kernel, clock);
    return at;
  };
  expect(waits(1)).toEqual(waits(1));
  expect(waits(1)).not.toEqual(waits(2));
  expect(new Set(waits(3)).size).toBe(8);
});

test("bad retry options are refused before the first attempt", () => {
  const code = (options: object) =>
    resultOf(function* (sys) {
      let made = 0;
      try {
        yield* retry(sys, options, function* () {
          made++;
        });
      } catch (error) {
        return [(error as { code: string }).code, made];
      }
      return ["none", made];
    });
  for (const options of [
    { attempts: 0 },
    { attempts: 1.5 },
    { attempts: 1001 },
    { baseMs: 0 },
    { baseMs: Number.NaN },
    { baseMs: 10, maxMs: 5 },
    { maxMs: Number.POSITIVE_INFINITY },
    { retryable: true },
  ])
    expect(code(options), JSON.stringify(options)).toEqual(["kernel.bad-option", 0]);
});

test("withDeadline gives the result when it comes in time, and throws what the program throws", () => {
  const { exit, clock } = run(function* (sys) {
    const value = yield* withDeadline(sys, 100, function* (sys) {
      yield* sys.sleep(99);
      return 7;
    });
    const code = yield* caught(sys, 100, function* () {
      throw new CallTimeoutError(1);
    });
    return [value, code];
  });
  expect(exit).toEqual({ kind: "ok", value: [7, "kernel.call-timeout"] });
  expect(clock.monotonicMs()).toBe(99);
});

function* caught(
  sys: Sys,
  ms: number,
  program: (sys: Sys) => Generator<never, unknown, unknown>,
  graceMs = 1000,
) {
  try {
    return yield* withDeadline(sys, ms, program as never, { graceMs });
  } catch (error) {
    return error instanceof GliaError ? error.code : String(error);
  }
}

test("D1: past its deadline the work is cancelled and cleans up, and the caller gets the typed error", () => {
  const log: string[] = [];
  const { exit, clock, outcome } = run(function* (sys) {
    return yield* caught(sys, 50, function* (sys: Sys) {
      try {
        yield* sys.sleep(1000);
      } finally {
        yield* sys.sleep(5);
        log.push(`cleaned up at ${clock0()}`);
      }
    } as never);
    function clock0() {
      return sys.now();
    }
  });
  expect([exit, log, clock.monotonicMs(), outcome]).toEqual([
    { kind: "ok", value: "kernel.deadline-exceeded" },
    ["cleaned up at 55"],
    55,
    "ended",
  ]);
});

test("D1: work that ignores its cancellation is killed after the grace time; a result that is late is not given", () => {
  const { exit, clock, kernel } = run(function* (sys) {
    const stubborn = yield* caught(
      sys,
      50,
      function* (sys: Sys) {
        for (;;) {
          try {
            yield* sys.sleep(30);
          } catch {}
        }
      } as never,
      200,
    );
    const late = yield* caught(sys, 10, function* (sys: Sys) {
      try {
        yield* sys.sleep(20);
      } catch {}
      return "late";
    } as never);
    return [stubborn, late];
  });
  expect(exit).toEqual({ kind: "ok", value: ["kernel.deadline-exceeded", "kernel.deadline-exceeded"] });
  expect([clock.monotonicMs(), kernel.liveTasks]).toEqual([260, 0]);
});

test("D2: an outer deadline bounds an inner one, and a killed caller takes the work along", () => {
  let ticks = 0;
  const { exit, clock, kernel } = run(function* (sys) {
    const outer = yield* caught(sys, 100, function* (sys: Sys) {
      yield* withDeadline(sys, 10_000, function* (sys) {
        for (;;) {
          yield* sys.sleep(10);
          ticks++;
        }
      });
    } as never);
    const caller = sys.spawn(function* (sys) {
      yield* withDeadline(sys, 10_000, function* (sys) {
        yield* sys.sleep(10_000);
      });
    });
    yield* sys.sleep(1);
    sys.kill(caller);
    yield* sys.wait(caller);
    return outer;
  });
  expect(exit).toEqual({ kind: "ok", value: "kernel.deadline-exceeded" });
  expect(ticks).toBeLessThanOrEqual(10);
  expect([clock.monotonicMs(), kernel.liveTasks]).toEqual([101, 0]);
});

test("bad deadlines are refused and start nothing", () => {
  const { exit, kernel } = run(function* (sys) {
    const codes: unknown[] = [];
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      codes.push(yield* caught(sys, ms, function* () {} as never));
    codes.push(yield* caught(sys, 1, function* () {} as never, -1));
    return codes;
  });
  expect(exit).toEqual({ kind: "ok", value: Array(4).fill("kernel.bad-duration") });
  expect(kernel.counters().spawned).toBe(1);
});
