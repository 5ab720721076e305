import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import {
  type RunningKernel,
  runKernel,
  type SyscallMessage,
  type SyscallsLostMessage,
  type TaskEndMessage,
  type TaskFailureMessage,
  type TaskSpawnMessage,
  type TaskStateMessage,
} from "@glia-os/host";
import { createKernel, type Kernel, type KernelOptions } from "@glia-os/kernel";
import { createSpanRecorder } from "@glia-os/kernel/observe";
import { afterEach, expect, test } from "vitest";

const leave: (() => void)[] = [];
afterEach(() => {
  for (const one of leave.splice(0)) one();
});

/** What one channel tells of one kernel. */
function heard<Message extends { readonly kernel: Kernel }>(kernel: Kernel, name: string): Message[] {
  const messages: Message[] = [];
  const listener = (message: unknown): void => {
    if ((message as Message).kernel === kernel) messages.push(message as Message);
  };
  subscribe(name, listener);
  leave.push(() => unsubscribe(name, listener));
  return messages;
}

function running(options: Partial<KernelOptions> = {}): {
  readonly kernel: Kernel;
  readonly pump: RunningKernel;
} {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom(), ...options });
  return { kernel, pump: runKernel(kernel, { timers: createSystemTimers() }) };
}

test("DC2: every task made after the subscription is told of, at its begin and at its end", async () => {
  const clock = createSystemClock();
  const spans = createSpanRecorder({ clock, random: createSystemRandom() });
  const { kernel, pump } = running({ spans });
  const silent = kernel.spawn(function* () {});
  const spawned = heard<TaskSpawnMessage>(kernel, "glia:task:spawn");
  const ended = heard<TaskEndMessage>(kernel, "glia:task:end");
  const root = kernel.spawn(
    function* (sys) {
      const child = sys.spawn(function* () {
        throw new RangeError("on purpose");
      });
      yield* sys.wait(child);
      return 7;
    },
    { name: "root" },
  );
  await pump.exitOf(root);
  await pump.stop(1000);
  const child = spawned[1]!.task;
  const spanOf = (task: typeof root): unknown => {
    const { traceId, spanId } = kernel.spanOf(task)!;
    return { traceId, spanId };
  };
  expect(spawned).toEqual([
    { kernel, task: root, parent: 0, path: "/1", name: "root", ...(spanOf(root) as object) },
    { kernel, task: child, parent: root, path: "/1/0", name: "", ...(spanOf(child) as object) },
  ]);
  expect(ended.map(({ task, exit: { kind } }) => [task, kind])).toEqual([
    [silent, "ok"],
    [child, "failed"],
    [root, "ok"],
  ]);
  expect(ended[2]).toMatchObject({ exit: { kind: "ok", value: 7 }, name: "root" });
});

test("DC3: state changes are told of while somebody listens", async () => {
  const { kernel, pump } = running();
  await pump.exitOf(kernel.spawn(function* () {}));
  const states = heard<TaskStateMessage>(kernel, "glia:task:state");
  const task = kernel.spawn(function* (sys) {
    yield* sys.sleep(1);
  });
  await pump.exitOf(task);
  expect(states.map(({ from, to }) => `${from}>${to}`)).toEqual([
    "ready>running",
    "running>sleeping",
    "sleeping>ready",
    "ready>running",
    "running>finished",
  ]);
  for (const one of leave.splice(0)) one();
  await pump.exitOf(kernel.spawn(function* () {}));
  expect(states).toHaveLength(5);
  await pump.stop(1000);
});

test("DC3: syscalls are told of in order, from the subscription on, with what the ring knows", async () => {
  const { kernel, pump } = running();
  await pump.exitOf(
    kernel.spawn(function* (sys) {
      sys.mailbox();
    }),
  );
  const calls = heard<SyscallMessage>(kernel, "glia:syscall");
  const lost = heard<SyscallsLostMessage>(kernel, "glia:syscall:lost");
  const task = kernel.spawn(function* (sys) {
    const box = sys.mailbox<number>();
    sys.trySend(box, 1);
    yield* sys.sleep(1);
  });
  await pump.exitOf(task);
  await pump.stop(1000);
  expect(calls.map(({ syscall, outcome }) => `${syscall} ${outcome}`)).toEqual([
    "mailbox done",
    "trySend done",
    "sleep parked",
  ]);
  expect(calls[0]).toMatchObject({ kernel, kind: "syscall", task: task % 2 ** 32 });
  expect(lost).toEqual([]);
});

test("DC3: syscalls that the ring could not hold for a slice are counted as lost", async () => {
  const { kernel, pump } = running({ traceRecords: 8 });
  const calls = heard<SyscallMessage>(kernel, "glia:syscall");
  const lost = heard<SyscallsLostMessage>(kernel, "glia:syscall:lost");
  await pump.exitOf(
    kernel.spawn(function* (sys) {
      for (let i = 0; i < 100; i++) sys.mailbox();
    }),
  );
  await pump.stop(1000);
  const records = lost.reduce((sum, message) => sum + message.records, 0);
  // The mark of the slice is a record too.
  expect([calls.length, records]).toEqual([8, 93]);
});

test("a failure that nobody waits for is told of", async () => {
  const { kernel, pump } = running();
  const failures = heard<TaskFailureMessage>(kernel, "glia:task:failure");
  const task = kernel.spawn(
    function* () {
      throw new RangeError("on purpose");
    },
    { name: "failing" },
  );
  await pump.ended();
  await pump.stop(1000);
  expect(failures).toMatchObject([
    { kernel, task, path: "/0", name: "failing", error: { message: "on purpose" } },
  ]);
});

test("DC1: without a subscriber nothing is looked up, read or listened to but the begin and the end of tasks", async () => {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  const asked: string[] = [];
  const watched = new Proxy(kernel, {
    get(target, key) {
      asked.push(String(key));
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const pump = runKernel(watched, { timers: createSystemTimers() });
  const task = kernel.spawn(function* (sys) {
    for (let i = 0; i < 5; i++) yield* sys.sleep(1);
  });
  await pump.exitOf(task);
  await pump.stop(1000);
  expect(asked.filter((name) => name === "observe")).toHaveLength(1);
  for (const name of ["nameOf", "spanOf", "traceImage", "trace"]) expect(asked).not.toContain(name);
});

test("after stop a kernel publishes nothing, and a subscriber stays alone", async () => {
  const { kernel, pump } = running();
  const spawned = heard<TaskSpawnMessage>(kernel, "glia:task:spawn");
  await pump.stop(0);
  let told = 0;
  const ends = [kernel.observe({ spawned: () => told++ })];
  expect(() => kernel.spawn(function* () {})).toThrow(
    expect.objectContaining({ code: "kernel.shutting-down" }),
  );
  ends[0]!();
  expect([spawned.length, told]).toEqual([0, 0]);
});
