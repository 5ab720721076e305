import type { LogFields, Logger } from "@glia-os/abi/ports";
import {
  after,
  createKernel,
  type Exit,
  type Handle,
  keyOf,
  type Program,
  receiveFrom,
  type Settle,
  signalOf,
  type TaskId,
} from "@glia-os/kernel";
import { createTestKernel, runToCompletion, SeededRandom, VirtualClock } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { codeOf, resultOf, run } from "./run.ts";

test("E2: a message from outside reaches a parked task, and the shell is told once that there is work", () => {
  const { kernel } = createTestKernel();
  const box = kernel.mailbox<string>();
  const got: string[] = [];
  let woken = 0;
  kernel.onWork(() => woken++);
  kernel.spawn(
    function* (sys, inbox: Handle<string>) {
      for (;;) got.push(yield* sys.receive(inbox));
    },
    { give: [box] },
  );
  expect(woken).toBe(1);
  expect(kernel.runSlice()).toBe("idle");
  kernel.trySend(box, "one");
  kernel.trySend(box, "two");
  expect(woken).toBe(2);
  kernel.runSlice();
  expect([got, woken]).toEqual([["one", "two"], 2]);
});

test("an outside effect gives its value or its error to the task that waits for it, whenever it settles", () => {
  const { kernel } = createTestKernel();
  const pending: Settle<string>[] = [];
  const seen: unknown[] = [];
  kernel.spawn(function* (sys) {
    seen.push(yield* sys.external<string>((settle) => void settle.ok("at once")));
    seen.push(yield* sys.external<string>((settle) => void pending.push(settle)));
    try {
      yield* sys.external<string>((settle) => void pending.push(settle));
    } catch (error) {
      seen.push(error);
    }
    try {
      yield* sys.external(() => {
        throw "could not start";
      });
    } catch (error) {
      seen.push(error);
    }
  });
  kernel.runSlice();
  expect([pending[0]?.ok("later"), pending[0]?.ok("again"), pending[0]?.fail("again")]).toEqual([
    true,
    false,
    false,
  ]);
  kernel.runSlice();
  pending[1]?.fail("went wrong");
  kernel.runSlice();
  expect(seen).toEqual(["at once", "later", "went wrong", "could not start"]);
});

test("X1, X2: an outside effect whose task is killed or cancelled is given up once, and its result is refused", () => {
  for (const how of ["kill", "cancel"] as const) {
    const { kernel, clock } = createTestKernel();
    let settle: Settle<string> | undefined;
    let givenUp = 0;
    const id = kernel.spawn(function* (sys) {
      yield* sys.external<string>((handed) => {
        settle = handed;
        return () => givenUp++;
      });
    });
    kernel.runSlice();
    kernel[how](id);
    runToCompletion(kernel, clock);
    expect([settle?.ok("too late"), givenUp, kernel.exitOf(id)?.kind]).toEqual([
      false,
      1,
      how === "kill" ? "killed" : "cancelled",
    ]);
  }
});

test("the shell kills and cancels any task, hears of ends, and asks for exits", () => {
  const { kernel, clock } = createTestKernel();
  const ends: (Exit | undefined)[] = [];
  const spawn = () =>
    kernel.spawn(function* (sys) {
      yield* sys.sleep(1000);
    });
  const [killed, cancelled, sleeper] = [spawn(), spawn(), spawn()];
  for (const id of [killed, cancelled, sleeper]) kernel.onExit(id, (exit) => ends.push(exit));
  kernel.runSlice();
  expect(kernel.exitOf(killed)).toBeUndefined();
  kernel.kill(killed, "k");
  kernel.cancel(cancelled, "c");
  runToCompletion(kernel, clock);
  kernel.onExit(sleeper, (exit) => ends.push(exit));
  expect(ends).toEqual([
    { kind: "killed", reason: "k" },
    { kind: "cancelled", reason: "c" },
    { kind: "ok", value: undefined },
    { kind: "ok", value: undefined },
  ]);
  for (const act of ["kill", "cancel", "exitOf"] as const)
    expect(codeOf(() => kernel[act](5 as TaskId))).toBe("kernel.unknown-task");
});

test("a failure that nobody waits for is told to the listener; one that somebody waits for is not", () => {
  const { kernel, clock } = createTestKernel();
  const unobserved: unknown[] = [];
  kernel.onFailure(({ name, path, error }) =>
    unobserved.push(`${name} ${path}: ${(error as Error).message}`),
  );
  kernel.spawn(function* (sys) {
    const fail = function* () {
      throw new RangeError("boom");
    };
    const watched = sys.spawn(fail, { name: "watched" });
    sys.spawn(fail, { name: "alone" });
    yield* sys.wait(watched);
  });
  runToCompletion(kernel, clock);
  expect(unobserved).toEqual(["alone /0/1: boom"]);
});

test("shutdown cancels every task, kills those that do not end in time, and takes no new ones", () => {
  const { kernel, clock } = createTestKernel();
  const log: string[] = [];
  kernel.spawn(function* (sys) {
    try {
      yield* sys.sleep(1000);
    } finally {
      yield* sys.sleep(5);
      log.push("cleaned up");
    }
  });
  const stubborn = kernel.spawn(function* (sys) {
    for (;;) {
      try {
        yield* sys.sleep(3);
      } catch {
        log.push("will not end");
      }
    }
  });
  kernel.runSlice();
  expect(kernel.shutdownState).toBe("running");
  kernel.shutdown(50);
  expect(codeOf(() => kernel.spawn(function* () {}))).toBe("kernel.shutting-down");
  expect(kernel.shutdownState).toBe("ending");
  runToCompletion(kernel, clock);
  expect([kernel.shutdownState, log, clock.monotonicMs()]).toEqual([
    "forced",
    ["will not end", "cleaned up"],
    50,
  ]);
  expect(kernel.exitOf(stubborn)).toEqual({ kind: "killed", reason: "shutdown" });
  const polite = createTestKernel();
  polite.kernel.spawn(function* (sys) {
    yield* sys.sleep(1000);
  });
  polite.kernel.shutdown(50);
  runToCompletion(polite.kernel, polite.clock);
  expect([polite.kernel.shutdownState, polite.clock.monotonicMs()]).toEqual(["clean", 0]);
});

test("at the task limit a spawn is refused, and taken again when a task ended", () => {
  const { exit } = run(
    function* (sys) {
      const child = sys.spawn(function* (sys) {
        yield* sys.sleep(1);
      });
      const refused = codeOf(() => sys.spawn(function* () {}));
      yield* sys.wait(child);
      return [refused, sys.spawn(function* () {}) > 0];
    },
    { taskLimit: 2 },
  );
  expect(exit).toEqual({ kind: "ok", value: ["kernel.too-many-tasks", true] });
});

test("options out of range are refused", () => {
  const bad = [
    { taskLimit: 0 },
    { taskLimit: 2 ** 21 + 1 },
    { endedLimit: -1 },
    { handleLimit: 0 },
    { turnSyscalls: 0 },
    { agingSwitches: 1.5 },
  ];
  for (const options of bad) expect(codeOf(() => createTestKernel(1, options))).toBe("kernel.bad-option");
  const { kernel } = createTestKernel();
  for (const switches of [0, -1, Number.NaN, 1.5])
    expect(codeOf(() => kernel.runSlice(switches))).toBe("kernel.bad-option");
  expect(codeOf(() => kernel.shutdown(Number.NaN))).toBe("kernel.bad-duration");
  expect(codeOf(() => kernel.spawn(function* () {}, { name: "x".repeat(129) }))).toBe("kernel.bad-option");
});

test("dumpState shows every live task: state, syscall, deadline, priority, name, path and handles", () => {
  const { kernel } = createTestKernel();
  const box = kernel.mailbox<number>();
  kernel.trySend(box, 1);
  kernel.spawn(
    function* (sys, inbox: Handle<number>) {
      const bell = sys.notification();
      sys.spawn(
        function* (sys) {
          yield* sys.sleep(25);
        },
        { name: "sleeper", priority: "low" },
      );
      yield* sys.receive(inbox);
      yield* sys.waitSignal(bell);
    },
    { name: "listener", give: [box], priority: "high" },
  );
  kernel.spawn(function* () {}, { name: "never ran" });
  kernel.runSlice(2);
  kernel.runSlice(2);
  kernel.spawn(function* () {}, { name: "fresh" });
  const dump = kernel.dumpState();
  expect(dump.tasks).toMatchObject([
    { name: "listener", path: "/0", state: "waiting", waitsIn: "waitSignal", priority: "high" },
    { name: "sleeper", path: "/0/0", state: "sleeping", waitsIn: "sleep", priority: "low", deadlineMs: 25 },
    { name: "fresh", path: "/2", state: "ready", waitsIn: "", priority: "normal" },
  ]);
  expect(dump.tasks[0]?.handles).toMatchObject([{ kind: "notification" }, { kind: "mailbox", messages: 0 }]);
  expect(dump).toMatchObject({
    omitted: 0,
    timers: 1,
    ready: { normal: 1, high: 0 },
    shell: [{ kind: "mailbox" }],
  });
  expect(JSON.parse(JSON.stringify(dump))).toMatchObject({ timers: 1 });
});

test("WF1: dumpState says what each parked task waits for: an object, an end, a key, a reply, or one of several", () => {
  const { kernel } = createTestKernel();
  kernel.spawn(
    function* (sys) {
      const box = sys.mailbox();
      const pipe = sys.channel(0);
      const bell = sys.notification();
      const served = sys.mailbox();
      const child = (name: string, program: Program, ...give: Handle[]) => sys.spawn(program, { name, give });
      child(
        "caller",
        function* (s, to) {
          yield* s.call(to!, "hello", 1e6);
        },
        served,
      );
      child(
        "sender",
        function* (s, to) {
          yield* s.send(to!, 1);
        },
        pipe,
      );
      child("key", function* (s) {
        yield* s.waitOn("door");
      });
      child("object key", function* (s) {
        yield* s.waitOn({});
      });
      child(
        "several",
        function* (s, a, b) {
          yield* s.select([receiveFrom(a!), signalOf(b!), keyOf("k"), after(5), keyOf("l"), keyOf("m")]);
        },
        box,
        bell,
      );
      const last = child(
        "rings",
        function* (s, b) {
          yield* s.waitSignal(b!);
        },
        bell,
      );
      yield* sys.receive(served);
      yield* sys.wait(last);
    },
    { name: "main" },
  );
  kernel.runSlice();
  const waits = kernel
    .dumpState()
    .tasks.map(({ name, waitsIn, waitsFor }) => [name, waitsIn, waitsFor.replaceAll(/\d{2,}/g, "#")]);
  expect(waits).toEqual([
    ["main", "wait", "the end of task # (rings)"],
    ["caller", "call", "a reply through mailbox #"],
    ["sender", "send", "channel #"],
    ["key", "waitOn", 'key "door"'],
    ["object key", "waitOn", "key (an object)"],
    ["several", "select", "mailbox # or notification # or a key or a key or 1 more"],
    ["rings", "waitSignal", "notification #"],
  ]);
});

test("random bytes depend on the seed and the task's path, not on who drew before", () => {
  const draw = (seed: number, noise: number) => {
    const { kernel, clock } = createTestKernel(seed);
    const drawn: string[] = [];
    for (let i = 0; i < 2; i++) {
      kernel.spawn(function* (sys) {
        if (i === 0) sys.random(noise);
        else drawn.push(sys.random(8).join(" "));
        yield* sys.yield();
      });
    }
    runToCompletion(kernel, clock);
    return drawn[0];
  };
  expect(draw(1, 0)).toBe(draw(1, 60_000));
  expect(draw(1, 0)).not.toBe(draw(2, 0));
  const codes = resultOf(function* (sys) {
    return [-1, 65_537, 1.5].map((bytes) => codeOf(() => sys.random(bytes)));
  });
  expect(codes).toEqual(Array(3).fill("kernel.bad-option"));
});

test("log lines carry the task's id, path and name; a kernel without a logger drops them", () => {
  const lines: [string, string, LogFields | undefined][] = [];
  const logger: Logger = {
    log: (level, message, fields) => void lines.push([level, message, fields]),
    child: () => logger,
  };
  const program = function* (sys: Parameters<Parameters<typeof run>[0]>[0]) {
    sys.log("info", "counted", { words: 3 });
    return sys.getTid();
  };
  const { exit } = run(program, { logger });
  const task = exit?.kind === "ok" ? (exit.value as number) : -1;
  expect(lines).toEqual([["info", "counted", { words: 3, task, path: "/0", name: undefined }]]);
  expect(run(program).exit?.kind).toBe("ok");
});

test("sys.now is the wall clock of the port", () => {
  const clock = new VirtualClock(1_700_000_000_000);
  const kernel = createKernel({ clock, random: new SeededRandom(1) });
  let now = 0;
  kernel.spawn(function* (sys) {
    yield* sys.sleep(5);
    now = sys.now();
  });
  runToCompletion(kernel, clock);
  expect(now).toBe(1_700_000_000_005);
});
