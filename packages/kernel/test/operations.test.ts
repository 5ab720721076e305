import type { Operation, Program, Routine, Sys } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { codeOf, resultOf, run } from "./run.ts";

function failureOf(program: Program): unknown {
  const { exit } = run(program);
  return exit?.kind === "failed" ? (exit.error as { code?: string }).code : exit;
}

test("O2: an operation performed twice is refused the second time", () => {
  const code = failureOf(function* (sys) {
    const operation = sys.yield();
    yield* operation;
    yield* operation;
  });
  expect(code).toBe("kernel.operation-reused");
});

test("O2: an operation made and not performed is found at the next one, or at the end of the task", () => {
  const atNext = failureOf(function* (sys) {
    sys.sleep(10);
    yield* sys.sleep(10);
  });
  const atEnd = failureOf(function* (sys) {
    sys.sleep(10);
  });
  expect([atNext, atEnd]).toEqual(["kernel.operation-not-used", "kernel.operation-not-used"]);
});

test("O3: an operation that is iterated after another was made is refused, and so is the other", () => {
  const code = failureOf(function* (sys) {
    const box = sys.mailbox<number>();
    const first = sys.send(box, 1);
    yield* first;
    const second = sys.receive(box);
    expect(codeOf(() => first[Symbol.iterator]().next())).toBe("kernel.operation-reused");
    yield* second;
  });
  expect(code).toBe("kernel.operation-reused");
});

test("a program that is no generator function may return a generator, or an iterator of its own", () => {
  const results = resultOf(function* (sys) {
    const inner = function* (sys: Sys): Routine<string> {
      yield* sys.yield();
      return "generator";
    };
    const wrapped = sys.spawn((sys) => inner(sys));
    const own = sys.spawn((sys) => {
      const routine = inner(sys);
      const steps = {
        next: () => routine.next(),
        return: (value: string) => routine.return(value),
        throw: (error: unknown) => routine.throw(error),
        [Symbol.iterator]: () => steps,
      };
      return steps as unknown as Routine<string>;
    });
    return [yield* sys.wait(wrapped), yield* sys.wait(own)];
  });
  expect(results).toEqual([
    { kind: "ok", value: "generator" },
    { kind: "ok", value: "generator" },
  ]);
});

test("an operation that one task forgot never runs in the name of another", () => {
  const result = resultOf(function* (sys) {
    let kept: Operation<void> | undefined;
    const careless = sys.spawn(function* (sys) {
      kept = sys.sleep(1000);
      yield* sys.yield();
    });
    const first = yield* sys.wait(careless);
    let code = "";
    try {
      yield* kept as Operation<void>;
    } catch (error) {
      code = (error as { code: string }).code;
    }
    return [first.kind, code, sys.now()];
  });
  expect(result).toEqual(["failed", "kernel.operation-reused", 0]);
});

test("a syscall outside a running task is refused and changes nothing", () => {
  let leaked: Sys | undefined;
  const { kernel } = run(function* (sys) {
    leaked = sys;
  });
  const before = kernel.syscallCounts();
  expect(codeOf(() => leaked?.getTid())).toBe("kernel.outside-task");
  expect(codeOf(() => leaked?.sleep(1))).toBe("kernel.outside-task");
  expect(codeOf(() => leaked?.cancelRequested)).toBe("kernel.outside-task");
  expect(kernel.syscallCounts()).toEqual(before);
});

test("a bare yield gets a typed error at the yield, each time, and values of earlier syscalls never leak into it", () => {
  const caught: unknown[] = [];
  const { exit } = run(function* (sys): Routine<string> {
    const box = sys.mailbox<number>();
    sys.trySend(box, 3);
    yield* sys.receive(box);
    for (let i = 0; i < 2; i++) {
      try {
        caught.push(yield "garbage" as never);
      } catch (error) {
        caught.push((error as { code: string }).code);
      }
    }
    return "went on";
  });
  expect(caught).toEqual(["kernel.bad-yield", "kernel.bad-yield"]);
  expect(exit).toEqual({ kind: "ok", value: "went on" });
});

test("a generator stepped by hand cannot act for its parked task", () => {
  const { exit, kernel } = run(function* (sys) {
    function* nap() {
      yield* sys.sleep(1000);
    }
    nap().next();
    return codeOf(() => sys.getTid());
  });
  expect(exit).toEqual({ kind: "ok", value: "kernel.outside-task" });
  expect(kernel.dumpState().timers).toBe(0);
});

test("what is no generator function is not spawned and leaves no task behind", () => {
  const { kernel } = createTestKernel();
  const programs: unknown[] = [
    undefined,
    42,
    () => 1,
    async () => 1,
    async function* () {
      yield 1;
    },
  ];
  for (const program of programs) {
    expect(codeOf(() => kernel.spawn(program as Program))).toBe("kernel.not-a-program");
  }
  expect(kernel.liveTasks).toBe(0);
  expect(kernel.counters().spawned).toBe(0);
});

test("durations that are not finite, not numbers or negative are refused before anything waits", () => {
  const codes = resultOf(function* (sys) {
    const found: string[] = [];
    for (const bad of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e13, "5" as never, undefined as never]) {
      try {
        yield* sys.sleep(bad);
      } catch (error) {
        found.push((error as { code: string }).code);
      }
    }
    return [found, sys.now()];
  });
  expect(codes).toEqual([Array(6).fill("kernel.bad-duration"), 0]);
});

test("unknown tasks, the task itself and malformed ids are refused", () => {
  const codes = resultOf(function* (sys) {
    const found: string[] = [];
    for (const bad of [0, -1, Number.NaN, 1e300, "x", undefined, sys.getTid()]) {
      try {
        yield* sys.wait(bad as never);
      } catch (error) {
        found.push((error as { code: string }).code);
      }
    }
    return found;
  });
  expect(codes).toEqual([...Array(6).fill("kernel.unknown-task"), "kernel.wait-on-self"]);
});

test("a slice inside a slice is refused", () => {
  const { kernel, clock } = createTestKernel();
  let code = "";
  kernel.spawn(function* () {
    code = codeOf(() => kernel.runSlice());
  });
  runToCompletion(kernel, clock);
  expect(code).toBe("kernel.reentrant");
});
