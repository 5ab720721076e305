import { RIGHTS, SYSCALLS } from "@glia-os/abi/syscalls";
import type { Handle, Kernel, Program, Sys, TaskId } from "@glia-os/kernel";
import { asyncProgram } from "@glia-os/kernel/face";
import { createTestKernel, runWithMicrotasks } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { OPCODE_NAMES } from "../src/internal.ts";
import { hostile, isExpected } from "./hostile.ts";
import { turn } from "./run-async.ts";

/** What a fuzzed call may name besides rubbish: live objects of the task, and what is or was something. */
const REAL = [
  "mailbox",
  "channel",
  "endpoint",
  "notification",
  "region",
  "leased",
  "tool",
  "http",
  "files",
  "dead",
  "child",
  "self",
  "ended",
] as const;

type Real = (typeof REAL)[number];

/** An argument: rubbish, or one of the real things by name. */
type Argument = { readonly real: Real } | { readonly value: unknown };

/** One fuzzed call. */
interface Shot {
  readonly name: string;
  readonly args: readonly Argument[];
}

/** Calls that end the task by themselves are no refusals. */
const names = Object.values(OPCODE_NAMES).filter((name) => name !== "exit" && name !== "checkpoint");

const argument: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 4, arbitrary: hostile.map((value) => ({ value })) },
  { weight: 4, arbitrary: fc.constantFrom(...REAL).map((real) => ({ real })) },
  {
    weight: 1,
    arbitrary: fc.anything({ withBigInt: true, withDate: true, withMap: true }).map((value) => ({ value })),
  },
  { weight: 1, arbitrary: fc.integer().map((value) => ({ value })) },
);

/** What a good caller would pass for an argument of the table, by its type. */
const GOOD: Readonly<Record<string, fc.Arbitrary<Argument>>> = {
  Handle: fc.constantFrom(...REAL.slice(0, 9)).map((real) => ({ real })),
  TaskId: fc.constantFrom("child" as const, "ended" as const, "self" as const).map((real) => ({ real })),
  TaskTarget: fc.constantFrom("child" as const, "ended" as const).map((real) => ({ real })),
  number: fc.integer({ min: 0, max: 9 }).map((value) => ({ value })),
  string: fc.constantFrom("a", "b").map((value) => ({ value })),
  Rights: fc.constantFrom(...Object.values(RIGHTS)).map((value) => ({ value })),
};

/** A call of one syscall whose arguments are mostly what it takes, so that rubbish is met behind what is looked at first. */
function shotOf(name: string): fc.Arbitrary<Shot> {
  const args = (SYSCALLS.get(name)?.args ?? []).map(({ type }) => {
    const good = GOOD[type];
    return good === undefined
      ? argument
      : fc.oneof({ weight: 3, arbitrary: good }, { weight: 1, arbitrary: argument });
  });
  return fc.record({ name: fc.constant(name), args: fc.tuple(...args) });
}

const shots: fc.Arbitrary<Shot[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...names).chain(shotOf) },
    {
      weight: 1,
      arbitrary: fc.record({ name: fc.constantFrom(...names), args: fc.array(argument, { maxLength: 4 }) }),
    },
  ),
  { minLength: 1, maxLength: 12 },
);

function servicesOf(kernel: Kernel): readonly Handle[] {
  return (["tool", "http", "files"] as const).map((kind) =>
    kernel.service({
      kind,
      name: kind,
      perform: (_, settle) => {
        settle.ok(null);
        return undefined;
      },
    }),
  );
}

/** The real things of a task. */
function* realOf(sys: Sys, given: readonly Handle[]) {
  const dead = sys.mailbox();
  sys.drop(dead);
  const ended = sys.spawn(function* () {});
  yield* sys.wait(ended);
  const child = sys.spawn(function* (sys) {
    yield* sys.sleep(1e9);
  });
  const real: Record<Real, unknown> = {
    mailbox: sys.mailbox(),
    channel: sys.channel(2),
    endpoint: sys.endpoint(),
    notification: sys.notification(),
    region: sys.region(8),
    leased: sys.mailbox({ leases: {} }),
    tool: given[0],
    http: given[1],
    files: given[2],
    dead,
    child,
    self: sys.getTid(),
    ended,
  };
  return real;
}

/** What is wrong with an error that came out of a syscall: nothing, when it is typed or was thrown by what was passed in. */
function complaint(shot: Shot, error: unknown): string | undefined {
  if (isExpected(error)) return undefined;
  // `external` gives its starter's errors to the task, whatever they are.
  if (shot.name === "external") return undefined;
  const text = error instanceof Error ? error.stack : String(error);
  return `${shot.name}: ${text}`;
}

/** A task that makes the calls one after the other; each that waits is given up by a cancellation from a watcher. */
function fuzzing(list: readonly Shot[], wrong: string[]): Program {
  return function* (sys, ...given) {
    const real = yield* realOf(sys, given);
    for (const shot of list) {
      const args = shot.args.map((one) => ("real" in one ? real[one.real] : one.value));
      try {
        const call = (sys as unknown as Record<string, (...args: unknown[]) => unknown>)[shot.name]!;
        const result = call.apply(sys, args);
        if (SYSCALLS.get(shot.name)!.blocking) yield* result as ReturnType<Sys["yield"]>;
      } catch (error) {
        const said = complaint(shot, error);
        if (said !== undefined) wrong.push(said);
      }
    }
  };
}

test("type safety: whatever a task passes to any syscall, it gets a result or a typed error, and no other task notices", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(shots, { minLength: 1, maxLength: 3 }), async (tasks) => {
      const wrong: string[] = [];
      const { kernel, clock } = createTestKernel();
      const services = servicesOf(kernel);
      const ticks: number[] = [];
      const bystander = kernel.spawn(function* (sys) {
        for (let i = 0; i < 5; i++) {
          yield* sys.sleep(1000);
          ticks.push(sys.now());
        }
        return "undisturbed";
      });
      const fuzzed: TaskId[] = tasks.map((list) => kernel.spawn(fuzzing(list, wrong), { give: services }));
      // What waits for ever is cancelled again and again, so that every call of every list is made.
      kernel.spawn(function* (sys) {
        for (let i = 0; i < 20; i++) {
          yield* sys.sleep(2e9);
          for (const task of fuzzed) if (kernel.exitOf(task) === undefined) kernel.cancel(task);
        }
        for (const task of fuzzed) kernel.kill(task);
      });
      await runWithMicrotasks(kernel, clock, turn);
      expect(wrong).toEqual([]);
      expect(kernel.exitOf(bystander)).toEqual({ kind: "ok", value: "undisturbed" });
      expect(ticks).toEqual([1000, 2000, 3000, 4000, 5000]);
      for (const task of fuzzed) expect(kernel.exitOf(task)).toBeDefined();
      // The kernel is sound: everything of the tasks is gone, and it goes on working.
      kernel.shutdown(0);
      await runWithMicrotasks(kernel, clock, turn);
      expect(kernel.liveTasks).toBe(0);
      const dump = kernel.dumpState();
      expect([dump.tasks, dump.keys, dump.timers]).toEqual([[], 0, 0]);
    }),
    { numRuns: 400 },
  );
});

test("type safety: the shell's methods refuse rubbish with typed errors and change nothing", () => {
  const methods = [
    "spawn",
    "kill",
    "cancel",
    "pathOf",
    "exitOf",
    "mailbox",
    "channel",
    "open",
    "service",
  ] as const;
  const more = [
    "trySend",
    "tryReceive",
    "signal",
    "grant",
    "revoke",
    "drop",
    "shutdown",
    "runSlice",
  ] as const;
  fc.assert(
    fc.property(fc.constantFrom(...methods, ...more), fc.array(hostile, { maxLength: 3 }), (name, args) => {
      const { kernel } = createTestKernel();
      const box = kernel.mailbox();
      const before = kernel.dumpState();
      try {
        (kernel[name] as (...args: unknown[]) => unknown)(...args);
      } catch (error) {
        if (!isExpected(error)) throw error;
        const { counters: _, ...after } = kernel.dumpState();
        const { counters: __, ...expected } = before;
        expect(after).toEqual(expected);
        expect(kernel.trySend(box, 1)).toBe("taken");
      }
    }),
    { numRuns: 2000 },
  );
});

test("type safety: async tasks get the same refusals for the same rubbish as generators", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names.filter((name) => name !== "external" && name !== "sleep")),
      fc.array(hostile, { maxLength: 3 }),
      async (name, args) => {
        const said = async (program: (out: string[]) => Program): Promise<string[]> => {
          const out: string[] = [];
          const { kernel, clock } = createTestKernel();
          const task = kernel.spawn(program(out));
          await runWithMicrotasks(kernel, clock, turn);
          if (kernel.exitOf(task) === undefined) out.push("waits");
          return out;
        };
        const label = (error: unknown): string => (error as { code?: string }).code ?? String(error);
        const generator = await said((out) => fuzzOne(name, args, (error) => out.push(label(error))));
        const async_ = await said((out) =>
          asyncProgram(async (sys) => {
            try {
              const call = (sys as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!;
              await call.apply(sys, args);
            } catch (error) {
              out.push(label(error));
            }
          }),
        );
        expect(async_).toEqual(generator);
      },
    ),
    { numRuns: 500 },
  );
});

function fuzzOne(name: string, args: readonly unknown[], refused: (error: unknown) => void): Program {
  return function* (sys) {
    try {
      const call = (sys as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!;
      const result = call.apply(sys, [...args]);
      if (SYSCALLS.get(name)!.blocking) yield* result as ReturnType<Sys["yield"]>;
    } catch (error) {
      refused(error);
    }
  };
}

test("a right of one bit is one right: no syscall takes a set of rights beyond those there are for more than it says", () => {
  const { kernel } = createTestKernel();
  const box = kernel.mailbox();
  const all = Object.values(RIGHTS);
  for (const rights of [0, -1, 2 ** 31, 2 ** 40, 1.5, Number.NaN, ...all]) {
    const { kernel: fresh } = createTestKernel();
    const handle = fresh.mailbox();
    const task = fresh.spawn(function* () {});
    const given = fresh.grant(task, handle, rights);
    expect(typeof given).toBe("number");
    const held = fresh.dumpState().tasks[0]!.handles[0]!.rights;
    expect(held & ~all.reduce((sum, bit) => sum | bit, 0)).toBe(0);
  }
  expect(kernel.trySend(box, 1)).toBe("taken");
});
