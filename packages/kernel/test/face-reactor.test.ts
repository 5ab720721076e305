import { type Call, type Handle, isCall, type Sys } from "@glia-os/kernel";
import { type Reactor, reactor, stop } from "@glia-os/kernel/face";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, resultOf, run } from "./run.ts";

/** Adds numbers, answers calls with the sum, ends at "end". */
const adder: Reactor<{ sum: number }, number | "end" | Call> = {
  init: () => ({ sum: 0 }),
  handle(sys, state, message) {
    if (isCall(message)) sys.reply(message, state.sum);
    else if (message === "end") return stop(state.sum);
    else state.sum += message;
    return undefined;
  },
};

test("a reactor handles messages in order, keeps state, answers calls and ends with a value", () => {
  const seen = resultOf(function* (sys) {
    const box = sys.mailbox();
    const task = sys.spawn(reactor(adder), { give: [box] });
    for (const n of [1, 2, 3]) yield* sys.send(box, n);
    const sum = yield* sys.call(box, "sum?");
    yield* sys.send(box, 4);
    yield* sys.send(box, "end");
    return [sum, yield* sys.wait(task)];
  });
  expect(seen).toEqual([6, { kind: "ok", value: 10 }]);
});

test("a handler may return the next state; init gets every handle that was given", () => {
  const out = resultOf(function* (sys) {
    const box = sys.mailbox<number>();
    const sink = sys.mailbox<string>();
    const fold = reactor<{ log: string; sink: Handle }, number>({
      init: (sys, inbox, sink) => ({ log: `${sys.getTid() > 0}${inbox !== sink}`, sink: sink! }),
      handle(sys, state, n) {
        const next = { ...state, log: `${state.log} ${n}` };
        sys.trySend(next.sink, next.log);
        return next;
      },
    });
    sys.spawn(fold, { give: [box, sink] });
    yield* sys.send(box, 7);
    yield* sys.send(box, 8);
    yield* sys.receive(sink);
    return yield* sys.receive(sink);
  });
  expect(out).toBe("truetrue 7 8");
});

test("RE1: whatever is sent, a reactor computes what a generator does, in as many syscalls per turn (fast-check)", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { maxLength: 40 }),
      fc.integer({ min: 1, max: 9 }),
      (numbers, turn) => {
        const outcome = (reacting: boolean) => {
          const { kernel, clock } = createTestKernel(1, { turnSyscalls: turn });
          const box = kernel.mailbox();
          const task = kernel.spawn(
            reacting
              ? reactor(adder)
              : function* (sys: Sys, inbox: Handle) {
                  let sum = 0;
                  for (;;) {
                    const message = yield* sys.receive(inbox);
                    if (message === "end") return sum;
                    sum += message as number;
                  }
                },
            { give: [box] },
          );
          for (const n of [...numbers, "end"]) kernel.trySend(box, n);
          runToCompletion(kernel, clock);
          return [kernel.exitOf(task), kernel.syscallCounts()["receive"], kernel.counters().turnsUsedUp];
        };
        expect(outcome(true)).toEqual(outcome(false));
      },
    ),
  );
});

test.each<[string, (sys: Sys) => unknown]>([
  ["makes an operation that waits", (sys) => sys.sleep(5)],
  ["makes one that need not wait", (sys) => sys.yield()],
  ["steps an operation by hand", (sys) => sys.sleep(5)[Symbol.iterator]().next()],
  ["calls exit", (sys) => sys.exit(1)],
])("RE2: a handler that %s fails its task with kernel.reactor-blocked", (_, block) => {
  const closed: string[] = [];
  const { exit, kernel } = run(function* (sys) {
    const box = sys.mailbox();
    const blocking = reactor<{ on: boolean }>({
      init: () => ({ on: true }),
      handle(sys) {
        block(sys);
        return undefined;
      },
      close: (sys) => void closed.push(`closed ${sys.getTid() > 0}`),
    });
    const task = sys.spawn(blocking, { give: [box] });
    yield* sys.send(box, 1);
    return yield* sys.wait(task);
  });
  expect(exit).toMatchObject({
    kind: "ok",
    value: { kind: "failed", error: { code: "kernel.reactor-blocked" } },
  });
  expect([closed, kernel.dumpState().timers, kernel.liveTasks]).toEqual([["closed true"], 0, 0]);
});

test("RE2: an init that asks to wait is refused too", () => {
  const exit = resultOf(function* (sys) {
    const task = sys.spawn(
      reactor({
        init: (sys) => sys.sleep(1),
        handle: () => undefined,
      }),
      { give: [sys.mailbox()] },
    );
    return yield* sys.wait(task);
  });
  expect(exit).toMatchObject({ kind: "failed", error: { code: "kernel.reactor-blocked" } });
});

test("RE3: the same program spawned again starts with a new state on the same mailbox, and no message is lost", () => {
  const fragile = reactor<{ sum: number }, number | Call>({
    init: () => ({ sum: 0 }),
    handle(sys, state, message) {
      if (isCall(message)) sys.reply(message, state.sum);
      else if (message < 0) throw new RangeError("negative");
      else state.sum += message;
      return undefined;
    },
  });
  const seen = resultOf(function* (sys) {
    const box = sys.mailbox();
    const keeper = sys.spawn(
      function* (sys, inbox: Handle) {
        for (let restarts = 0; ; restarts++) {
          const end = yield* sys.wait(sys.spawn(fragile, { give: [inbox] }));
          if (end.kind !== "failed") return restarts;
        }
      },
      { give: [box] },
    );
    for (const n of [5, -1, 7, -1, 30, 4]) yield* sys.send(box, n);
    const sum = yield* sys.call(box, "sum?");
    sys.kill(keeper);
    return sum;
  });
  expect(seen).toBe(34);
});

test("RE4: close runs once, whether a reactor stops, throws, is cancelled or killed", () => {
  const closed: string[] = [];
  const named = (name: string) =>
    reactor<{ name: string }, string>({
      init: () => ({ name }),
      handle(_, __, message) {
        if (message === "throw") throw new RangeError("thrown");
        return message === "stop" ? stop() : undefined;
      },
      close: (_, state) => void closed.push(state.name),
    });
  const ends = resultOf(function* (sys) {
    const spawned = ["stop", "throw", "cancel", "kill"].map((name) => {
      const box = sys.mailbox<string>();
      return { name, box, task: sys.spawn(named(name), { give: [box] }) };
    });
    yield* sys.sleep(1);
    const kinds: string[] = [];
    for (const { name, box, task } of spawned) {
      if (name === "cancel") sys.cancel(task);
      else if (name === "kill") sys.kill(task);
      else yield* sys.send(box, name);
      kinds.push((yield* sys.wait(task)).kind);
    }
    return kinds;
  });
  expect(ends).toEqual(["ok", "failed", "cancelled", "killed"]);
  expect(closed).toEqual(["stop", "throw", "cancel", "kill"]);
});

test("RE4: a close that throws runs once, and its error ends the task", () => {
  let calls = 0;
  const exit = resultOf(function* (sys) {
    const box = sys.mailbox();
    const failing = reactor({
      init: () => 0,
      handle: () => stop(),
      close() {
        calls++;
        throw new RangeError("in close");
      },
    });
    const task = sys.spawn(failing, { give: [box] });
    yield* sys.send(box, 1);
    return yield* sys.wait(task);
  });
  expect([exit, calls]).toMatchObject([{ kind: "failed", error: { message: "in close" } }, 1]);
});

test("a cancellation shows in cancelRequested of a handler, and ends the reactor at its next message, which stays", () => {
  const seen: boolean[] = [];
  const exit = resultOf(function* (sys) {
    const box = sys.mailbox<number>();
    const task = sys.spawn(
      reactor({
        init: () => 0,
        handle(sys) {
          seen.push(sys.cancelRequested);
          sys.cancel(sys.getTid(), "enough");
          seen.push(sys.cancelRequested);
          return undefined;
        },
      }),
      { give: [box] },
    );
    yield* sys.send(box, 1);
    yield* sys.send(box, 2);
    return [yield* sys.wait(task), yield* sys.receive(box)];
  });
  expect([exit, seen]).toEqual([
    [{ kind: "cancelled", reason: "enough" }, 2],
    [false, true],
  ]);
});

test("a reactor whose mailbox is revoked fails with kernel.dead-handle", () => {
  const exit = resultOf(function* (sys) {
    const box = sys.mailbox();
    const task = sys.spawn(reactor(adder), { give: [box] });
    yield* sys.sleep(1);
    sys.revoke(box);
    return yield* sys.wait(task);
  });
  expect(exit).toMatchObject({ kind: "failed", error: { code: "kernel.dead-handle" } });
});

test("handlers that are generators or async functions, and spawns without a mailbox, are refused", () => {
  const init = () => 0;
  const wrong = [function* () {}, async () => undefined, async function* () {}];
  for (const handle of wrong)
    expect(codeOf(() => reactor({ init, handle: handle as never }))).toBe("kernel.bad-option");
  expect(codeOf(() => reactor({ init, handle: 5 as never }))).toBe("kernel.not-a-program");
  const { kernel } = createTestKernel(1);
  expect(codeOf(() => kernel.spawn(reactor(adder)))).toBe("kernel.bad-option");
  expect(kernel.liveTasks).toBe(0);
});
