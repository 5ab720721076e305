import { after, endOf, type Handle, keyOf, receiveFrom, signalOf, type Wait } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { codeOf, resultOf } from "./run.ts";

test("W1: the first wait that is ready wins and nothing else is consumed", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<string>();
    const bell = sys.notification();
    yield* sys.send(box, "kept");
    sys.signal(bell, 6);
    const waits = [signalOf(bell), receiveFrom(box)] as const;
    const first = yield* sys.select(waits);
    const second = yield* sys.select(waits);
    return [first, second];
  });
  expect(result).toEqual([
    [0, 6],
    [1, "kept"],
  ]);
});

test("W2: a parked select is woken by whichever event comes first, and leaves every other queue", () => {
  const { kernel, clock } = createTestKernel();
  const box = kernel.mailbox<string>();
  const control = kernel.notification();
  const seen: unknown[] = [];
  kernel.spawn(
    function* (sys, inbox: Handle<string>, control: Handle) {
      const waits = [receiveFrom(inbox), signalOf(control), after(10), keyOf("wake up")] as const;
      for (let i = 0; i < 4; i++) seen.push([...(yield* sys.select(waits)), sys.now()]);
    },
    { give: [box, control] },
  );
  const settle = () => kernel.runSlice();
  settle();
  kernel.signal(control, 4);
  settle();
  kernel.trySend(box, "message");
  settle();
  expect(kernel.wake("wake up", "value")).toBe(1);
  settle();
  runToCompletion(kernel, clock);
  expect(seen).toEqual([
    [1, 4, 0],
    [0, "message", 0],
    [3, "value", 0],
    [2, undefined, 10],
  ]);
  expect(kernel.trySend(box, "nobody")).toBe("taken");
  expect(kernel.wake("wake up")).toBe(0);
  expect(kernel.tryReceive(box)).toBe("nobody");
});

test("a task parked on its mailbox can be interrupted by a notification, and no message is lost by it", () => {
  const { kernel, clock } = createTestKernel();
  const inbox = kernel.mailbox<number>();
  const control = kernel.notification();
  const handled: number[] = [];
  const id = kernel.spawn(
    function* (sys, inbox: Handle<number>, control: Handle) {
      const waits = [signalOf(control), receiveFrom(inbox)] as const;
      for (;;) {
        const [index, value] = yield* sys.select(waits);
        if (index === 0) return handled.length;
        handled.push(value);
      }
    },
    { give: [inbox, control] },
  );
  for (let i = 0; i < 3; i++) kernel.trySend(inbox, i);
  runToCompletion(kernel, clock);
  kernel.signal(control);
  for (let i = 3; i < 6; i++) kernel.trySend(inbox, i);
  runToCompletion(kernel, clock);
  const left: (number | undefined)[] = [];
  for (let i = 0; i < 3; i++) left.push(kernel.tryReceive(inbox));
  expect([kernel.exitOf(id), handled, left]).toEqual([{ kind: "ok", value: 3 }, [0, 1, 2], [3, 4, 5]]);
});

test("the earliest of several time limits counts, and ends of tasks can be waited for", () => {
  const result = resultOf(function* (sys) {
    const child = sys.spawn(function* (sys) {
      yield* sys.sleep(3);
      return "child";
    });
    const limited = yield* sys.select([after(9), after(2), endOf(child)]);
    const ended = yield* sys.select([after(9), endOf(child)]);
    return [limited, ended, yield* sys.select([endOf(child)])];
  });
  const end = { kind: "ok", value: "child" };
  expect(result).toEqual([
    [1, undefined],
    [1, end],
    [0, end],
  ]);
});

test("a killed select leaves no trace in any queue", () => {
  const { kernel, clock } = createTestKernel();
  const box = kernel.mailbox<number>();
  const bell = kernel.notification();
  const id = kernel.spawn(
    function* (sys, inbox: Handle<number>, bell: Handle) {
      yield* sys.select([receiveFrom(inbox), signalOf(bell), keyOf("k"), after(100)]);
    },
    { give: [box, bell] },
  );
  kernel.runSlice();
  kernel.kill(id);
  runToCompletion(kernel, clock);
  kernel.signal(bell, 1);
  expect([kernel.trySend(box, 1), kernel.tryReceive(box), kernel.wake("k")]).toEqual(["taken", 1, 0]);
  expect(kernel.dumpState().timers).toBe(0);
});

test("a select of nothing, of too much, or of what is no wait is refused before it waits", () => {
  const codes = resultOf(function* (sys) {
    const found: string[] = [];
    const bad: unknown[] = [
      [],
      Array(65).fill(after(1)),
      [{ kind: 9 }],
      [after(-1)],
      [receiveFrom(5 as Handle)],
      7,
    ];
    for (const waits of bad) {
      try {
        yield* sys.select(waits as Wait[]);
      } catch (error) {
        found.push((error as { code: string }).code);
      }
    }
    return found;
  });
  expect(codes).toEqual([
    "kernel.bad-select",
    "kernel.bad-select",
    "kernel.bad-select",
    "kernel.bad-duration",
    "kernel.dead-handle",
    "kernel.bad-select",
  ]);
});

test("N1: signals are collected while nobody waits, and the first waiter takes all of them", () => {
  const result = resultOf(function* (sys) {
    const bell = sys.notification();
    sys.signal(bell, 1);
    sys.signal(bell, 4);
    sys.signal(bell, 4);
    const collected = yield* sys.waitSignal(bell);
    const takers = [0, 1].map(() =>
      sys.spawn(
        function* (sys, bell: Handle) {
          return yield* sys.waitSignal(bell);
        },
        { give: [bell] },
      ),
    );
    yield* sys.sleep(1);
    sys.signal(bell, 3);
    sys.signal(bell, 8);
    const taken: unknown[] = [];
    for (const taker of takers) taken.push(yield* sys.wait(taker));
    const codes = [0, -1, 1.5, 2 ** 31].map((bits) => codeOf(() => sys.signal(bell, bits)));
    return [collected, taken, codes];
  });
  expect(result).toEqual([
    5,
    [
      { kind: "ok", value: 3 },
      { kind: "ok", value: 8 },
    ],
    Array(4).fill("kernel.bad-option"),
  ]);
});

test("wake resumes as many waiters of a key as asked, in order, and nobody else", () => {
  const result = resultOf(function* (sys) {
    const key = { any: "object" };
    const order: string[] = [];
    const waiter = (name: string, on: unknown) =>
      sys.spawn(function* (sys) {
        order.push(`${name} ${yield* sys.waitOn<string>(on)}`);
      });
    for (const name of ["a", "b", "c"]) waiter(name, key);
    const other = waiter("other", { any: "object" });
    yield* sys.sleep(1);
    const counts = [sys.wake(key, "one", 1), sys.wake(key, "rest"), sys.wake(key)];
    yield* sys.sleep(1);
    sys.kill(other);
    return [counts, order];
  });
  expect(result).toEqual([
    [1, 2, 0],
    ["a one", "b rest", "c rest"],
  ]);
});

test("K1: a key nobody waits for any more takes no memory, however its waiters left", () => {
  const { kernel, clock } = createTestKernel();
  const wait = (key: string) =>
    kernel.spawn(function* (sys) {
      yield* sys.waitOn(key);
    });
  const choose = (...keys: string[]) =>
    kernel.spawn(function* (sys) {
      yield* sys.select([...keys.map((key) => keyOf(key)), after(10)]);
    });
  wait("woken");
  wait("shared");
  const [killed, cancelled] = [wait("killed"), wait("cancelled")];
  choose("a", "b");
  choose("shared", "timed out");
  kernel.runSlice();
  expect(kernel.dumpState().keys).toBe(7);
  kernel.wake("woken");
  kernel.wake("a");
  kernel.kill(killed);
  kernel.cancel(cancelled);
  kernel.wake("nobody waits for this");
  expect(kernel.dumpState().keys).toBe(2);
  runToCompletion(kernel, clock);
  expect(kernel.dumpState().keys).toBe(1);
  expect(kernel.wake("shared")).toBe(1);
  expect(kernel.dumpState().keys).toBe(0);
});
