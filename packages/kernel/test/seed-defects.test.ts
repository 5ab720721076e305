/** Defects of the systems this kernel grew out of, each as a test that fails when it comes back. */
import { type Call, type Handle, isCall, type Sys } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { resultOf, run } from "./run.ts";

test("killing a task inside a sub-coroutine ends the whole task, not only the innermost generator", () => {
  const log: string[] = [];
  function* sub(sys: Sys) {
    yield* sys.sleep(1000);
  }
  const { outcome } = run(function* (sys) {
    const victim = sys.spawn(function* (sys) {
      yield* sub(sys);
      log.push("the outer generator went on");
      yield* sub(sys);
    });
    yield* sys.sleep(1);
    sys.kill(victim);
    yield* sys.wait(victim);
  });
  expect([outcome, log]).toEqual(["ended", []]);
});

test("a value of one syscall never shows up as the value of another", () => {
  const values = resultOf(function* (sys) {
    const box = sys.mailbox<number>();
    sys.trySend(box, 3);
    return [yield* sys.receive(box), yield* sys.yield(), yield* sys.sleep(1), yield* sys.send(box, 4)];
  });
  expect(values).toEqual([3, undefined, undefined, undefined]);
});

test("the loop ends when the last task did", () => {
  const { kernel, clock } = createTestKernel();
  kernel.spawn(function* (sys) {
    yield* sys.sleep(3);
  });
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect([kernel.runSlice(), kernel.nextDeadlineMs(), kernel.liveTasks]).toEqual(["idle", undefined, 0]);
});

test("one uncaught exception leaves every other task running", () => {
  const { kernel, clock } = createTestKernel();
  let others = 0;
  for (let i = 0; i < 10; i++) {
    kernel.spawn(function* (sys) {
      yield* sys.sleep(i);
      if (i % 2 === 0) throw new RangeError(`task ${i}`);
      others++;
    });
  }
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect([others, kernel.counters().failed]).toEqual([5, 5]);
});

test("a second waiter for the same event is kept beside the first", () => {
  const woken = resultOf(function* (sys) {
    const waiters = [1, 2].map((n) =>
      sys.spawn(function* (sys) {
        yield* sys.waitOn("descriptor 7");
        return n;
      }),
    );
    yield* sys.sleep(1);
    sys.wake("descriptor 7");
    const ends: unknown[] = [];
    for (const waiter of waiters) ends.push(yield* sys.wait(waiter));
    return ends;
  });
  expect(woken).toEqual([
    { kind: "ok", value: 1 },
    { kind: "ok", value: 2 },
  ]);
});

test("sleep costs its time: nobody wakes before the clock says so, however idle the kernel is", () => {
  const { kernel, clock } = createTestKernel();
  let awake = false;
  kernel.spawn(function* (sys) {
    yield* sys.sleep(1000);
    awake = true;
  });
  for (let i = 0; i < 100; i++) kernel.runSlice();
  expect([awake, clock.monotonicMs()]).toEqual([false, 0]);
  clock.advance(999.9);
  kernel.runSlice();
  expect(awake).toBe(false);
  clock.advance(0.1);
  kernel.runSlice();
  expect(awake).toBe(true);
});

test("a cancellation shows: at the wait, at the next wait, and in cancelRequested", () => {
  const seen = resultOf(function* (sys) {
    const seen: unknown[] = [];
    const spin = sys.spawn(function* (sys) {
      for (;;) {
        try {
          yield* sys.yield();
        } catch {
          return sys.cancelRequested;
        }
      }
    });
    yield* sys.yield();
    sys.cancel(spin);
    seen.push(yield* sys.wait(spin));
    return seen;
  });
  expect(seen).toEqual([{ kind: "ok", value: true }]);
});

test("a task that returns without a closing syscall has ended", () => {
  const { outcome, exit } = run(function* () {
    return "done";
  });
  expect([outcome, exit]).toEqual(["ended", { kind: "ok", value: "done" }]);
});

test("several calls of one task are all answered: no pending syscall overwrites another", () => {
  const { exit } = run(function* (sys) {
    const box = sys.mailbox<Call<number>>();
    const callers = Array.from({ length: 5 }, (_, i) =>
      sys.spawn(
        function* (sys, out: Handle<Call<number>>) {
          return yield* sys.call<number>(out, i);
        },
        { give: [box] },
      ),
    );
    const asked: Call<number>[] = [];
    for (let i = 0; i < 5; i++) asked.push(yield* sys.receive(box));
    for (const call of asked.reverse()) if (isCall<number>(call)) sys.reply(call, call.message * 10);
    const answers: unknown[] = [];
    for (const caller of callers) {
      const end = yield* sys.wait<number>(caller);
      answers.push(end.kind === "ok" ? end.value : end);
    }
    return answers;
  });
  expect(exit).toEqual({ kind: "ok", value: [0, 10, 20, 30, 40] });
});

test("a mailbox counter never goes below zero and never refuses wrongly under churn", () => {
  const { kernel } = createTestKernel();
  const box = kernel.mailbox<number>({ capacity: 4 });
  let held = 0;
  for (let i = 0; i < 10_000; i++) {
    const put = (i * 7919) % 5 < 3;
    if (put) {
      const taken = kernel.trySend(box, i) !== "full";
      expect(taken).toBe(held < 4);
      if (taken) held++;
    } else {
      expect(kernel.tryReceive(box) !== undefined).toBe(held > 0);
      if (held > 0) held--;
    }
  }
  expect(kernel.dumpState().shell[0]?.messages).toBe(held);
});

test("the states of ended tasks do not pile up beyond their bound", () => {
  const { kernel, clock } = createTestKernel(1, { endedLimit: 10 });
  for (let i = 0; i < 1000; i++) kernel.spawn(function* () {});
  runToCompletion(kernel, clock);
  expect(kernel.dumpState()).toMatchObject({ tasks: [], omitted: 0, counters: { finished: 1000 } });
});
