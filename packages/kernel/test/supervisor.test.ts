import type { Handle, TaskId } from "@glia-os/kernel";
import {
  type ChildSpec,
  childHandle,
  countChildren,
  deleteChild,
  ExitError,
  restartChild,
  type SupervisorOptions,
  startChild,
  startDynamicChild,
  startSupervisor,
  supervisor,
  supervisorChild,
  taskChild,
  terminateChild,
  whichChildren,
} from "@glia-os/kernel/supervision";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { codeOf, resultOf } from "./run.ts";
import {
  child,
  crashAfter,
  endAfter,
  idle,
  type Life,
  lives,
  observe,
  slowToEnd,
  wait,
} from "./supervised.ts";

/** The events of a supervisor that is left alone for a time. */
function events(options: (log: string[]) => SupervisorOptions, ms: number): string[] {
  const log: string[] = [];
  const seen = observe(options(log), wait(ms));
  return [...log, String(seen.reason)];
}

function exits(reason: unknown): Life {
  return function* (sys) {
    yield* sys.sleep(10);
    throw new ExitError(reason);
  };
}

/** The code of the error a generator throws, or what it returns. */
function* attempt<Value>(routine: Generator<never, Value> | Iterable<unknown>): Generator<never, unknown> {
  try {
    return yield* routine as Generator<never, Value>;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

// Order

test("OTP: children start in order, each after the one before is ready, and end in reverse order", () => {
  const log: string[] = [];
  const slow = (id: string): ChildSpec => ({
    id,
    *start(sys) {
      log.push(`starting ${id}`);
      yield* sys.sleep(10);
      return yield* child(id, log, slowToEnd(10)).start(sys);
    },
  });
  observe({ children: [slow("a"), slow("b"), slow("c")] }, wait(100));
  expect(log).toEqual(["starting a", "starting b", "+a", "starting c", "+b", "+c", "-c", "-b", "-a"]);
});

test("OTP: when a child does not start, those before it are ended in reverse order and the supervisor fails to start", () => {
  const log: string[] = [];
  const bad: ChildSpec = {
    id: "bad",
    *start() {
      throw new RangeError("no");
    },
  };
  const seen = resultOf(function* (sys) {
    try {
      yield* startSupervisor(sys, { children: [child("a", log), child("b", log), bad, child("c", log)] });
      return "started";
    } catch (error) {
      const { code, reason } = error as { code: string; reason: { shutdown: { message: string } } };
      return [code, reason.shutdown.message];
    }
  });
  expect(seen).toEqual(["kernel.start-failed", "child bad did not start: RangeError: no"]);
  expect(log).toEqual([]);
});

test("OTP: a start that gives nothing keeps the specification of the child without a task, except of a temporary one", () => {
  const none = (id: string, restart: "permanent" | "temporary"): ChildSpec => ({
    id,
    *start() {
      return undefined;
    },
    restart,
  });
  const seen = observe(
    { children: [none("a", "permanent"), none("b", "temporary")] },
    function* (sys, target) {
      return yield* whichChildren(sys, target);
    },
  );
  expect(seen.result).toEqual([{ id: "a", task: undefined, state: "stopped", type: "worker" }]);
});

// Strategies

test("OTP: one_for_one restarts the child that ended and no other", () => {
  const log = events(
    (log) => ({ children: [child("a", log), child("b", log, lives(crashAfter(10), idle)), child("c", log)] }),
    100,
  );
  expect(log).toEqual(["+a", "+b", "+c", "-b", "+b", "-c", "-b", "-a", "shutdown"]);
});

test("OTP: one_for_all ends all others in reverse order and starts all in order", () => {
  const log = events(
    (log) => ({
      strategy: "one_for_all",
      children: [child("a", log), child("b", log, lives(crashAfter(10), idle)), child("c", log)],
    }),
    100,
  );
  expect(log).toEqual(["+a", "+b", "+c", "-b", "-c", "-a", "+a", "+b", "+c", "-c", "-b", "-a", "shutdown"]);
});

test("OTP: rest_for_one ends those started after the child in reverse order and starts it and them in order", () => {
  const log = events(
    (log) => ({
      strategy: "rest_for_one",
      children: [
        child("a", log),
        child("b", log, lives(crashAfter(10), idle)),
        child("c", log),
        child("d", log),
      ],
    }),
    100,
  );
  expect(log).toEqual([
    ...["+a", "+b", "+c", "+d", "-b", "-d", "-c", "+b", "+c", "+d"],
    ...["-d", "-c", "-b", "-a", "shutdown"],
  ]);
});

test("OTP: a temporary child that is ended because of another one is not started again", () => {
  for (const strategy of ["one_for_all", "rest_for_one"] as const) {
    const log: string[] = [];
    const seen = observe(
      {
        strategy,
        children: [
          child("a", log, lives(crashAfter(10), idle)),
          child("t", log, idle, { restart: "temporary" }),
          child("b", log),
        ],
      },
      function* (sys, target) {
        yield* sys.sleep(100);
        return (yield* whichChildren(sys, target)).map(({ id }) => id);
      },
    );
    expect(seen.result, strategy).toEqual(["a", "b"]);
    expect(log.filter((event) => event === "+t")).toEqual(["+t"]);
  }
});

test("OTP: one_for_all starts also children that had ended normally or had been terminated", () => {
  const log: string[] = [];
  observe(
    {
      strategy: "one_for_all",
      children: [
        child("a", log, lives(crashAfter(50), idle)),
        child("t", log, lives(endAfter(10), idle), { restart: "transient" }),
        child("m", log),
      ],
    },
    function* (sys, target) {
      yield* sys.sleep(20);
      yield* terminateChild(sys, target, "m");
      log.push("--");
      yield* sys.sleep(100);
    },
  );
  expect(log.slice(log.indexOf("--"))).toEqual(["--", "-a", "+a", "+t", "+m", "-m", "-t", "-a"]);
});

test("OTP: simple_one_for_one starts children of one template with the arguments given, and none by itself", () => {
  const log: string[] = [];
  const template: ChildSpec = {
    id: "worker",
    *start(sys, ...args) {
      return yield* child(args.join(), log).start(sys);
    },
  };
  const seen = observe({ strategy: "simple_one_for_one", children: [template] }, function* (sys, target) {
    const before = yield* countChildren(sys, target);
    const first = yield* startDynamicChild(sys, target, "x", 1);
    yield* startDynamicChild(sys, target, "y", 2);
    yield* sys.sleep(1);
    const after = yield* countChildren(sys, target);
    yield* terminateChild(sys, target, first.task as TaskId);
    const left = yield* whichChildren(sys, target);
    const codes = [
      yield* attempt(terminateChild(sys, target, first.task as TaskId)),
      yield* attempt(terminateChild(sys, target, "worker")),
      yield* attempt(startChild(sys, target, child("z", log))),
    ];
    return { before, after, left: left.length, codes };
  });
  expect(seen.result).toEqual({
    before: { specs: 1, active: 0, supervisors: 0, workers: 0 },
    after: { specs: 1, active: 2, supervisors: 0, workers: 2 },
    left: 1,
    codes: ["kernel.unknown-child", "kernel.unknown-child", "kernel.bad-child-spec"],
  });
  expect(log).toEqual(["+x,1", "+y,2", "-x,1", "-y,2"]);
});

test("OTP: a dynamic child is restarted with its own arguments, and forgotten when it is not restarted", () => {
  const log: string[] = [];
  const template: ChildSpec = {
    id: "worker",
    restart: "transient",
    *start(sys, name, life) {
      return yield* child(name as string, log, life as Life).start(sys);
    },
  };
  const seen = observe({ strategy: "simple_one_for_one", children: [template] }, function* (sys, target) {
    yield* startDynamicChild(sys, target, "crashes", lives(crashAfter(10), idle));
    yield* startDynamicChild(sys, target, "ends", endAfter(10));
    yield* sys.sleep(100);
    return yield* countChildren(sys, target);
  });
  expect(seen.result).toEqual({ specs: 1, active: 1, supervisors: 0, workers: 1 });
  expect(log).toEqual(["+crashes", "+ends", "-crashes", "-ends", "+crashes", "-crashes"]);
});

test("OTP: the children of simple_one_for_one are ended at the same time, not one after the other", () => {
  const log: string[] = [];
  const template: ChildSpec = {
    id: "worker",
    *start(sys) {
      return yield* child("w", log, slowToEnd(100)).start(sys);
    },
  };
  const seen = observe({ strategy: "simple_one_for_one", children: [template] }, function* (sys, target) {
    for (let i = 0; i < 10; i++) yield* startDynamicChild(sys, target);
    yield* sys.sleep(10);
  });
  expect(seen.endedMs).toBe(110);
  expect(seen.kernel.liveTasks).toBe(0);
});

// Restart kinds

test("OTP: a permanent child is always restarted, a transient one after an abnormal end, a temporary one never", () => {
  const ends: readonly [string, Life, boolean][] = [
    ["a return", endAfter(10), false],
    ["shutdown", exits("shutdown"), false],
    ["shutdown with a word", exits({ shutdown: "enough" }), false],
    ["a crash", crashAfter(10), true],
    ["another reason", exits("tired"), true],
  ];
  for (const [what, life, abnormal] of ends) {
    const restarted = (["permanent", "transient", "temporary"] as const).map((restart) => {
      const log: string[] = [];
      observe({ children: [child("c", log, lives(life, idle), { restart })] }, wait(100));
      return log.filter((event) => event === "+c").length === 2;
    });
    expect(restarted, what).toEqual([true, abnormal, false]);
  }
});

test("OTP: the specification of a temporary child is forgotten at its end, that of a transient one is kept", () => {
  const seen = observe(
    {
      children: [
        child("transient", [], endAfter(10), { restart: "transient" }),
        child("temporary", [], endAfter(10), { restart: "temporary" }),
      ],
    },
    function* (sys, target) {
      yield* sys.sleep(20);
      return yield* whichChildren(sys, target);
    },
  );
  expect(seen.result).toEqual([{ id: "transient", task: undefined, state: "stopped", type: "worker" }]);
});

test("a child that was killed by somebody else is restarted, also a transient one", () => {
  const log: string[] = [];
  const { kernel, clock } = createTestKernel();
  kernel.spawn(supervisor({ children: [child("c", log, idle, { restart: "transient" })] }));
  for (let i = 0; i < 3; i++) kernel.runSlice();
  kernel.kill(kernel.dumpState().tasks.find(({ name }) => name === "c")!.id);
  for (let i = 0; i < 3; i++) kernel.runSlice();
  expect([log, clock.monotonicMs()]).toEqual([["+c", "-c", "+c"], 0]);
});

// Intensity

test("OTP: one restart more than the intensity within the period ends the children in reverse order and the supervisor with shutdown", () => {
  const log: string[] = [];
  const seen = observe(
    {
      intensity: 2,
      periodMs: 1000,
      children: [child("a", log), child("b", log, crashAfter(100)), child("c", log)],
    },
    wait(5000),
  );
  expect(log).toEqual(["+a", "+b", "+c", "-b", "+b", "-b", "+b", "-b", "-c", "-a"]);
  expect([seen.reason, seen.endedMs]).toEqual(["shutdown", 300]);
});

test("OTP: by default one restart in 5 seconds is allowed", () => {
  const ended = (ms: number): unknown =>
    observe({ children: [child("c", [], crashAfter(ms))], sameFailureLimit: 100 }, wait(30_000)).endedMs;
  // Two failures that are 5000 ms apart are still within one period; at 5001 ms they are not.
  expect([ended(1000), ended(5000), ended(5001)]).toEqual([2000, 10_000, 30_000]);
});

test("OTP: with intensity 0 the first restart is one too many", () => {
  const log: string[] = [];
  const seen = observe({ intensity: 0, children: [child("c", log, crashAfter(10))] }, wait(100));
  expect([log, seen.reason, seen.endedMs]).toEqual([["+c", "-c"], "shutdown", 10]);
});

test("OTP: all children's restarts count together", () => {
  const seen = observe(
    { intensity: 2, children: ["a", "b", "c"].map((id) => child(id, [], lives(crashAfter(10), idle))) },
    wait(100),
  );
  expect([seen.reason, seen.endedMs]).toEqual(["shutdown", 10]);
});

test("OTP: a child that fails to restart is tried again, each try counts, and it is shown as restarting meanwhile", () => {
  let starts = 0;
  const shown: unknown[] = [];
  const flaky: ChildSpec = {
    id: "flaky",
    *start(sys) {
      starts++;
      if (starts === 2 || starts === 3) throw new RangeError(`start ${starts}`);
      return sys.spawn(starts === 1 ? crashAfter(10) : idle);
    },
  };
  const seen = observe(
    { intensity: 3, backoff: { baseMs: 1000, maxMs: 1000 }, children: [flaky] },
    function* (sys, target) {
      yield* sys.sleep(11);
      shown.push(...(yield* whichChildren(sys, target)));
      yield* sys.sleep(5000);
      shown.push(...(yield* whichChildren(sys, target)));
    },
  );
  expect(starts).toBe(4);
  expect(shown).toMatchObject([
    { id: "flaky", task: undefined, state: "restarting" },
    { id: "flaky", state: "running" },
  ]);
  expect(seen.endedMs).toBe(5011);
  starts = 0;
  const short = observe({ intensity: 2, children: [flaky] }, wait(100));
  expect([starts, short.reason]).toEqual([3, "shutdown"]);
});

test("where each child's restarts are counted, a child that fails too often is given up and the pool lives on", () => {
  const log: string[] = [];
  const seen = observe(
    {
      intensity: 2,
      periodMs: 1000,
      intensityPer: "child",
      children: [child("flapping", log, crashAfter(10)), child("good", log, lives(crashAfter(15), idle))],
    },
    function* (sys, target) {
      yield* sys.sleep(1000);
      const facts = yield* whichChildren(sys, target);
      yield* restartChild(sys, target, "flapping");
      return facts.map(({ id, state }) => `${id} ${state}`);
    },
  );
  expect(seen.result).toEqual(["flapping stopped", "good running"]);
  expect(seen.endedMs).toBe(1000);
  expect(log.filter((event) => event === "+flapping").length).toBe(4);
});

test("a pool of dynamic children forgets the one that fails too often and keeps the others", () => {
  const template: ChildSpec = {
    id: "w",
    *start(sys, life) {
      return sys.spawn(life as Life, { counted: true });
    },
  };
  const seen = observe(
    { strategy: "simple_one_for_one", intensityPer: "child", children: [template] },
    function* (sys, target) {
      yield* startDynamicChild(sys, target, crashAfter(10));
      for (let i = 0; i < 3; i++) yield* startDynamicChild(sys, target, idle);
      yield* sys.sleep(1000);
      return yield* countChildren(sys, target);
    },
  );
  expect(seen.result).toMatchObject({ active: 3, workers: 3 });
});

// Ending children

test("OTP: a child that does not end in its shutdown time is killed", () => {
  const log: string[] = [];
  const stubborn = child("stubborn", log, slowToEnd(1_000_000), { shutdown: 200 });
  const seen = observe({ children: [stubborn] }, wait(10));
  expect([seen.endedMs, seen.kernel.liveTasks, log]).toEqual([210, 0, ["+stubborn", "-stubborn"]]);
});

test("OTP: a worker has 5 seconds to end by default, a supervisor all the time it needs", () => {
  const slow = (id: string): ChildSpec => child(id, [], slowToEnd(60_000));
  expect(observe({ children: [slow("worker")] }, wait(10)).endedMs).toBe(5010);
  const nested = supervisorChild("inner", {
    children: [child("w", [], slowToEnd(60_000), { shutdown: "infinity" })],
  });
  expect(observe({ children: [nested] }, wait(10)).endedMs).toBe(60_010);
});

test("OTP: brutal_kill ends a child without letting it wait", () => {
  const log: string[] = [];
  const seen = observe(
    { children: [child("c", log, slowToEnd(1000), { shutdown: "brutal_kill" })] },
    wait(10),
  );
  expect([seen.endedMs, log]).toEqual([10, ["+c", "-c"]]);
});

test("OTP: a supervisor whose parent ends ends its children, then itself", () => {
  const log: string[] = [];
  const { kernel, clock } = createTestKernel();
  const parent = kernel.spawn(function* (sys) {
    yield* startSupervisor(sys, {
      children: [
        child("a", log, slowToEnd(10)),
        supervisorChild("s", { children: [child("b", log, slowToEnd(10))] }),
      ],
    });
    yield* idle(sys);
  });
  kernel.runSlice();
  kernel.kill(parent);
  expect(runToCompletion(kernel, clock, 1000)).toBe("ended");
  expect([log, clock.monotonicMs()]).toEqual([["+a", "+b", "-b", "-a"], 20]);
});

test("SU3: killing a supervisor ends its children, and theirs", () => {
  const log: string[] = [];
  const { kernel, clock } = createTestKernel();
  const root = kernel.spawn(
    supervisor({
      children: [child("a", log), supervisorChild("s", { children: [child("b", log), child("c", log)] })],
    }),
  );
  kernel.runSlice();
  kernel.runSlice();
  kernel.kill(root);
  expect(runToCompletion(kernel, clock, 1000)).toBe("ended");
  expect(log.toSorted()).toEqual(["+a", "+b", "+c", "-a", "-b", "-c"]);
});

test("a supervisor that is cancelled while it starts or restarts ends what it has started", () => {
  for (const at of [5, 15, 25, 35]) {
    const log: string[] = [];
    const { kernel, clock } = createTestKernel();
    const slow = (id: string, life: Life = idle): ChildSpec => ({
      id,
      *start(sys) {
        yield* sys.sleep(10);
        return yield* child(id, log, life).start(sys);
      },
    });
    const root = kernel.spawn(
      supervisor({ strategy: "one_for_all", children: [slow("a", lives(crashAfter(20), idle)), slow("b")] }),
    );
    kernel.spawn(function* (sys) {
      yield* sys.sleep(at);
      kernel.cancel(root, "shutdown");
    });
    expect(runToCompletion(kernel, clock, 1000), `at ${at}`).toBe("ended");
    expect(kernel.exitOf(root)).toEqual({ kind: "cancelled", reason: "shutdown" });
  }
});

// Nesting

test("OTP: a supervisor that gives up is restarted by its own supervisor, with all its children", () => {
  const log: string[] = [];
  const inner = supervisorChild("inner", {
    intensity: 0,
    children: [child("a", log), child("b", log, lives(crashAfter(10), idle))],
  });
  const seen = observe({ children: [inner, child("other", log)] }, wait(100));
  expect(log).toEqual(["+a", "+b", "+other", "-b", "-a", "+a", "+b", "-other", "-b", "-a"]);
  expect(seen.reason).toBe("shutdown");
});

test("OTP: a failure that no level can cure ends the whole tree", () => {
  const leaf = child("leaf", [], crashAfter(10));
  const middle = supervisorChild("middle", { intensity: 1, children: [leaf] });
  const seen = observe({ intensity: 1, children: [middle] }, wait(10_000));
  // Two lives of the leaf per life of the middle one, two lives of the middle one.
  expect([seen.reason, seen.endedMs, seen.kernel.liveTasks]).toEqual(["shutdown", 40, 0]);
});

// Requests

test("OTP: which_children and count_children tell what there is", () => {
  const seen = observe(
    {
      children: [
        child("w", []),
        child("gone", [], endAfter(1), { restart: "transient" }),
        supervisorChild("s", { children: [] }),
      ],
    },
    function* (sys, target) {
      yield* sys.sleep(10);
      return { which: yield* whichChildren(sys, target), count: yield* countChildren(sys, target) };
    },
  );
  expect(seen.result).toMatchObject({
    which: [
      { id: "w", state: "running", type: "worker" },
      { id: "gone", state: "stopped", task: undefined, type: "worker" },
      { id: "s", state: "running", type: "supervisor" },
    ],
    count: { specs: 3, active: 2, supervisors: 1, workers: 2 },
  });
});

test("OTP: start_child adds a child at the end; a taken id is refused and a failed start leaves no specification", () => {
  const log: string[] = [];
  const seen = observe({ children: [child("a", log)] }, function* (sys, target) {
    const started = yield* startChild(sys, target, child("b", log));
    const bad: ChildSpec = {
      id: "bad",
      *start() {
        throw new RangeError("no");
      },
    };
    const codes = [
      yield* attempt(startChild(sys, target, child("b", log))),
      yield* attempt(startChild(sys, target, bad)),
      yield* attempt(startChild(sys, target, { id: "" } as never)),
    ];
    yield* terminateChild(sys, target, "b");
    codes.push(yield* attempt(startChild(sys, target, child("b", log))));
    return [typeof started.task, codes, (yield* whichChildren(sys, target)).map(({ id }) => id)];
  });
  expect(seen.result).toEqual([
    "number",
    ["kernel.child-state", "kernel.start-failed", "kernel.bad-child-spec", "kernel.child-state"],
    ["a", "b"],
  ]);
});

test("OTP: terminate_child ends a child for good and keeps its specification, except a temporary one's", () => {
  const log: string[] = [];
  const seen = observe(
    { children: [child("p", log), child("t", log, idle, { restart: "temporary" })] },
    function* (sys, target) {
      yield* sys.sleep(1);
      const results = [
        yield* terminateChild(sys, target, "p"),
        yield* terminateChild(sys, target, "p"),
        yield* terminateChild(sys, target, "t"),
        yield* attempt(terminateChild(sys, target, "t")),
      ];
      yield* sys.sleep(100);
      return [results, (yield* whichChildren(sys, target)).map(({ id, state }) => `${id} ${state}`)];
    },
  );
  expect(seen.result).toEqual([[true, true, true, "kernel.unknown-child"], ["p stopped"]]);
  expect(log).toEqual(["+p", "+t", "-p", "-t"]);
});

test("OTP: restart_child starts a child that does not run and refuses one that does", () => {
  const log: string[] = [];
  const seen = observe({ children: [child("p", log)] }, function* (sys, target) {
    yield* sys.sleep(1);
    const running = yield* attempt(restartChild(sys, target, "p"));
    yield* terminateChild(sys, target, "p");
    const started = yield* restartChild(sys, target, "p");
    yield* sys.sleep(1);
    return [running, typeof started.task, yield* attempt(restartChild(sys, target, "nobody"))];
  });
  expect(seen.result).toEqual(["kernel.child-state", "number", "kernel.unknown-child"]);
  expect(log).toEqual(["+p", "-p", "+p", "-p"]);
});

test("OTP: delete_child forgets a child that does not run and refuses one that does or waits for its restart", () => {
  const seen = observe(
    {
      backoff: { baseMs: 100_000, maxMs: 100_000 },
      children: [child("p", []), child("r", [], crashAfter(1))],
    },
    function* (sys, target) {
      yield* sys.sleep(5);
      const codes = [
        yield* attempt(deleteChild(sys, target, "p")),
        yield* attempt(deleteChild(sys, target, "r")),
        yield* attempt(restartChild(sys, target, "r")),
        yield* attempt(deleteChild(sys, target, "nobody")),
      ];
      yield* terminateChild(sys, target, "p");
      yield* terminateChild(sys, target, "r");
      yield* deleteChild(sys, target, "p");
      return [codes, (yield* whichChildren(sys, target)).map(({ id }) => id)];
    },
  );
  expect(seen.result).toEqual([
    ["kernel.child-state", "kernel.child-state", "kernel.child-state", "kernel.unknown-child"],
    ["r"],
  ]);
});

test("a child's handle is granted to whoever asks the supervisor, and what is no request is refused", () => {
  const echo: ChildSpec = {
    id: "echo",
    *start(sys) {
      const inbox = sys.mailbox<string>();
      const task = sys.spawn(
        function* (sys, inbox: Handle<string>) {
          for (;;) {
            const call = (yield* sys.receive(inbox)) as never as { message: string };
            sys.reply(call as never, call.message);
          }
        },
        { give: [inbox] },
      );
      return { task, handle: inbox };
    },
  };
  const seen = observe({ children: [echo, child("plain", [])] }, function* (sys, target) {
    const handle = yield* childHandle(sys, target, "echo");
    const none = yield* childHandle(sys, target, "plain");
    sys.trySend(target, "no request");
    const code = yield* attempt(sys.call(target, "no request"));
    return [yield* sys.call(handle!, "hello"), none, code];
  });
  expect(seen.result).toEqual(["hello", undefined, "kernel.no-handler"]);
});

test("a start that asks the supervisor which waits for it is refused at once instead of waiting for ever", () => {
  const asking: ChildSpec = {
    id: "asking",
    *start(sys) {
      yield* countChildren(sys, sys.lookup("top"));
      return undefined;
    },
  };
  const seen = resultOf(function* (sys) {
    const ref = yield* startSupervisor(sys, { children: [] }, { register: "top", link: false });
    const reasons: string[] = [];
    for (const spec of [asking, supervisorChild("inner", { children: [asking] })]) {
      try {
        yield* startChild(sys, ref.handle, spec);
      } catch (error) {
        if ((error as { reason: unknown }).reason === undefined) throw error;
        let cause = (error as { reason: unknown }).reason as { shutdown?: { reason: Error } } & Error;
        if (cause.shutdown !== undefined) cause = cause.shutdown.reason;
        reasons.push(cause.message);
      }
    }
    sys.cancel(ref.task);
    yield* sys.wait(ref.task);
    return reasons;
  });
  expect(seen).toEqual([
    "the call would never return: top -> top",
    "the call would never return: inner -> top -> inner",
  ]);
});

// Automatic shutdown

test("OTP: any_significant ends the supervisor when one significant child ends by itself", () => {
  const log: string[] = [];
  const seen = observe(
    {
      autoShutdown: "any_significant",
      children: [
        child("plain", log, endAfter(5), { restart: "transient" }),
        child("first", log, endAfter(10), { restart: "transient", significant: true }),
        child("second", log, idle, { restart: "temporary", significant: true }),
      ],
    },
    wait(100),
  );
  expect([seen.reason, seen.endedMs]).toEqual(["shutdown", 10]);
  expect(log).toEqual(["+plain", "+first", "+second", "-plain", "-first", "-second"]);
});

test("OTP: all_significant ends the supervisor when the last significant child ended by itself", () => {
  const seen = observe(
    {
      autoShutdown: "all_significant",
      children: [
        child("first", [], endAfter(10), { restart: "transient", significant: true }),
        child("second", [], crashAfter(20), { restart: "temporary", significant: true }),
        child("plain", []),
      ],
    },
    wait(100),
  );
  expect([seen.reason, seen.endedMs]).toEqual(["shutdown", 20]);
});

test("OTP: a significant child that is restarted or terminated on request does not end the supervisor", () => {
  const seen = observe(
    {
      autoShutdown: "any_significant",
      children: [
        child("crashes", [], lives(crashAfter(10), idle), { restart: "transient", significant: true }),
        child("stopped", [], idle, { restart: "transient", significant: true }),
      ],
    },
    function* (sys, target) {
      yield* sys.sleep(20);
      yield* terminateChild(sys, target, "stopped");
      yield* sys.sleep(80);
    },
  );
  expect(seen.endedMs).toBe(100);
});

// Beyond OTP

test("backoff waits a random time below a ceiling that doubles up to a bound, and begins anew after a quiet period", () => {
  const starts: number[] = [];
  const options = (intensity: number): SupervisorOptions => ({
    intensity,
    periodMs: 100_000,
    sameFailureLimit: Number.POSITIVE_INFINITY,
    backoff: { baseMs: 100, maxMs: 800 },
    children: [
      taskChild("c", function* (sys) {
        starts.push(sys.monotonic());
        yield* sys.sleep(starts.length === 8 ? 200_000 : 1);
        throw new RangeError("boom");
      }),
    ],
  });
  observe(options(100), wait(203_000));
  const waits = starts.slice(1).map((at, i) => at - starts[i]! - (i === 7 ? 200_000 : 1));
  const ceilings = [100, 200, 400, 800, 800, 800, 800, 100, 200];
  for (const [i, ceiling] of ceilings.entries()) {
    expect(waits[i]).toBeGreaterThanOrEqual(0);
    expect(waits[i], `wait ${i}`).toBeLessThanOrEqual(ceiling);
  }
  expect(new Set(waits).size).toBeGreaterThan(4);
  expect(Math.max(...waits.slice(3, 7))).toBeGreaterThan(200);
});

test("while a child waits for its restart the supervisor answers, and those that depend on it do not run", () => {
  const log: string[] = [];
  const seen = observe(
    {
      strategy: "rest_for_one",
      intensity: 2,
      backoff: { baseMs: 1000, maxMs: 1000 },
      children: [
        child("a", log),
        child("b", log, lives(crashAfter(10), crashAfter(10), idle)),
        child("c", log),
      ],
    },
    function* (sys, target) {
      const during: string[][] = [];
      for (let starts = 1; starts <= 2; starts++) {
        while (log.filter((event) => event === "-b").length < starts) yield* sys.sleep(1);
        during.push((yield* whichChildren(sys, target)).map(({ id, state }) => `${id} ${state}`));
      }
      yield* sys.sleep(2000);
      return during;
    },
  );
  expect(seen.result).toEqual(Array(2).fill(["a running", "b restarting", "c stopped"]));
  expect(log).toEqual([
    ...["+a", "+b", "+c", "-b", "-c", "+b", "+c", "-b", "-c", "+b", "+c"],
    ...["-c", "-b", "-a"],
  ]);
});

test("a supervisor that ends in the middle of a request tells the one who asked at once", () => {
  for (const how of ["cancel", "kill"] as const) {
    const { kernel, clock } = createTestKernel();
    const told: unknown[] = [];
    const slow: ChildSpec = {
      id: "slow",
      *start(sys) {
        yield* sys.sleep(1_000_000);
        return undefined;
      },
    };
    kernel.spawn(function* (sys) {
      const { task, handle } = yield* startSupervisor(sys, { children: [] }, { link: false });
      sys.spawn(function* (sys) {
        yield* sys.sleep(10);
        kernel[how](task);
      });
      told.push(yield* attempt(startChild(sys, handle, slow)), sys.monotonic());
    });
    expect(runToCompletion(kernel, clock)).toBe("ended");
    expect(told, how).toEqual(["kernel.server-ended", 10]);
  }
});

test("the same error at the same syscall, again and again, is not retried for ever", () => {
  const starts: string[] = [];
  const options = (message: (n: number) => string, syscalls: (n: number) => number): SupervisorOptions => ({
    intensity: 1000,
    sameFailureLimit: 4,
    children: [
      taskChild("c", function* (sys) {
        starts.push("+");
        yield* sys.sleep(10_000);
        for (let i = 0; i < syscalls(starts.length); i++) sys.now();
        throw new RangeError(message(starts.length));
      }),
    ],
  });
  const same = observe(
    options(
      () => "boom",
      () => 3,
    ),
    wait(200_000),
  );
  expect(starts.length).toBe(4);
  expect(same.reason).toMatchObject({
    shutdown: {
      code: "kernel.repeated-failure",
      message: expect.stringContaining("4 times in a row after 4 syscalls"),
    },
  });
  for (const other of [
    options(
      (n) => `boom ${n}`,
      () => 3,
    ),
    options(
      () => "boom",
      (n) => n,
    ),
  ]) {
    starts.length = 0;
    const seen = observe(other, wait(200_000));
    expect([starts.length, seen.endedMs]).toEqual([20, 200_000]);
  }
});

test("a retryable error may repeat for ever, and so may any when the limit is off", () => {
  const starts: string[] = [];
  const run = (sameFailureLimit: number, fail: Life): number => {
    starts.length = 0;
    observe({ intensity: 1000, sameFailureLimit, children: [child("c", starts, fail)] }, wait(100_000));
    return starts.filter((event) => event === "+c").length;
  };
  const timesOut: Life = function* (sys) {
    yield* sys.call(sys.mailbox(), "nobody answers", 10_000);
  };
  expect(run(3, timesOut)).toBe(10);
  expect(run(Number.POSITIVE_INFINITY, crashAfter(10_000))).toBe(10);
  expect(run(3, crashAfter(10_000))).toBe(3);
});

// Bad input

test("OTP: specifications that contradict themselves are refused before anything starts", () => {
  const good = child("a", []);
  const bad: readonly SupervisorOptions[] = [
    { children: [good, good] },
    { children: [{ ...good, id: "" }] },
    { children: [{ ...good, id: "x".repeat(129) }] },
    { children: [{ id: "a" } as never] },
    { children: [null as never] },
    { children: "none" as never },
    { children: [{ ...good, restart: "sometimes" as never }] },
    { children: [{ ...good, type: "boss" as never }] },
    { children: [{ ...good, shutdown: -1 }] },
    { children: [{ ...good, shutdown: Number.NaN }] },
    { children: [{ ...good, significant: true }], autoShutdown: "any_significant" },
    { children: [{ ...good, significant: true, restart: "transient" }] },
    { children: [], strategy: "one_for_some" as never },
    { children: [], strategy: "simple_one_for_one" },
    { children: [], intensity: -1 },
    { children: [], intensity: 1.5 },
    { children: [], periodMs: 0 },
    { children: [], periodMs: Number.NaN },
    { children: [], intensityPer: "nobody" as never },
    { children: [], intensityPer: "child", strategy: "one_for_all" },
    { children: [], autoShutdown: "sometimes" as never },
    { children: [], sameFailureLimit: 1 },
    { children: [], childLimit: 0 },
    { children: [], backoff: { baseMs: 10, maxMs: 5 } },
    { children: [], backoff: { baseMs: 0, maxMs: 5 } },
  ];
  for (const [i, options] of bad.entries())
    expect(
      codeOf(() => supervisor(options)),
      `case ${i}`,
    ).toBe("kernel.bad-child-spec");
});

test("a supervisor has no more children than its limit", () => {
  const seen = observe({ childLimit: 2, children: [child("a", [])] }, function* (sys, target) {
    yield* startChild(sys, target, child("b", []));
    return yield* attempt(startChild(sys, target, child("c", [])));
  });
  expect(seen.result).toBe("kernel.too-many-children");
  expect(codeOf(() => supervisor({ childLimit: 1, children: [child("a", []), child("b", [])] }))).toBe(
    "kernel.bad-child-spec",
  );
});

test("a start that gives a task which is not the supervisor's child is refused", () => {
  const seen = resultOf(function* (sys) {
    const stranger = sys.spawn(idle);
    const thief: ChildSpec = {
      id: "thief",
      *start() {
        return stranger;
      },
    };
    const code = yield* attempt(startSupervisor(sys, { children: [thief] }));
    sys.kill(stranger);
    return code;
  });
  expect(seen).toBe("kernel.start-failed");
});
