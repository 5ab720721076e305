import type { LogFields, Logger } from "@glia-os/abi/ports";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { type RunOptions, runKernel } from "@glia-os/host";
import { createKernel, type Handle, isCall, type Kernel, type TaskId } from "@glia-os/kernel";
import { expect, test } from "vitest";

function newKernel(): Kernel {
  return createKernel({ clock: createSystemClock(), random: createSystemRandom() });
}

function start(options: Partial<RunOptions> = {}) {
  return runKernel(newKernel(), { timers: createSystemTimers(), ...options });
}

test("tasks that talk and sleep run to their ends on the real clock, never early", async () => {
  const running = start();
  const { kernel } = running;
  const clock = createSystemClock();
  const startedMs = clock.monotonicMs();
  const id = kernel.spawn(function* (sys) {
    const box = sys.mailbox<string>();
    sys.spawn(
      function* (sys, out: Handle<string>) {
        yield* sys.sleep(20);
        yield* sys.send(out, "after 20 ms");
      },
      { give: [box] },
    );
    return [yield* sys.receive(box), clock.monotonicMs() - startedMs >= 20];
  });
  expect(await running.exitOf(id)).toEqual({ kind: "ok", value: ["after 20 ms", true] });
  await running.ended();
  expect(kernel.liveTasks).toBe(0);
});

test("R3: a message from outside wakes an idle kernel, and never runs a task inside the sender", async () => {
  const running = start();
  const box = running.kernel.mailbox<string>();
  const got: string[] = [];
  const id = running.kernel.spawn(
    function* (sys, inbox: Handle<string>) {
      for (let i = 0; i < 3; i++) got.push(yield* sys.receive(inbox));
    },
    { give: [box] },
  );
  for (const word of ["a", "b", "c"]) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const before = got.length;
    running.kernel.trySend(box, word);
    expect(got.length).toBe(before);
  }
  await running.exitOf(id);
  expect(got).toEqual(["a", "b", "c"]);
});

test("R5: the kernel has ended when only services live; stopping it ends them", async () => {
  const running = start();
  const { kernel } = running;
  const ends: string[] = [];
  const service = running.serve(function* (sys) {
    const inbox = sys.mailbox();
    sys.register("doubler", inbox);
    try {
      for (;;) {
        const call = yield* sys.receive(inbox);
        if (isCall<number>(call)) sys.reply(call, call.message * 2);
      }
    } finally {
      ends.push("service");
    }
  });
  const main = kernel.spawn(function* (sys) {
    return yield* sys.call<number>(sys.lookup("doubler"), 21);
  });
  await running.ended();
  expect(kernel.exitOf(main)).toEqual({ kind: "ok", value: 42 });
  expect([kernel.liveTasks, kernel.exitOf(service), ends]).toEqual([1, undefined, []]);
  expect(await running.stop(1000)).toBe("clean");
  expect([kernel.liveTasks, ends]).toEqual([0, ["service"]]);
});

test("a service that fails is reported and no longer counted", async () => {
  const lines: [string, LogFields | undefined][] = [];
  const logger: Logger = { log: (_, text, fields) => lines.push([text, fields]), child: () => logger };
  const running = start({ logger });
  running.serve(
    function* () {
      throw new RangeError("no service");
    },
    { name: "broken" },
  );
  const main = running.kernel.spawn(function* (sys) {
    yield* sys.sleep(1);
  });
  await running.exitOf(main);
  await running.ended();
  expect(lines).toMatchObject([
    ["a task failed and nobody waited for it", { name: "broken", error: "no service" }],
  ]);
});

test("R1: the event loop turns while tasks spin", async () => {
  const running = start();
  let stop = false;
  const id = running.kernel.spawn(function* (sys) {
    while (!stop) yield* sys.yield();
    return "stopped";
  });
  running.kernel.spawn(function* (sys) {
    while (!stop) yield* sys.yield();
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  stop = true;
  expect(await running.exitOf(id)).toEqual({ kind: "ok", value: "stopped" });
});

test("a shorter deadline set while a longer one is pending is kept", async () => {
  const running = start();
  const { kernel } = running;
  const order: string[] = [];
  const nap = (ms: number, name: string) =>
    kernel.spawn(function* (sys) {
      yield* sys.sleep(ms);
      order.push(name);
    });
  nap(40, "long");
  await new Promise((resolve) => setTimeout(resolve, 2));
  nap(5, "short");
  await running.ended();
  expect(order).toEqual(["short", "long"]);
});

test("stop cancels politely, kills what does not end in time, and says which", async () => {
  const polite = start();
  polite.kernel.spawn(function* (sys) {
    yield* sys.sleep(1_000_000);
  });
  expect(await polite.stop(60_000)).toBe("clean");
  const stubborn = start();
  const started = Promise.withResolvers<void>();
  stubborn.kernel.spawn(function* (sys) {
    started.resolve();
    for (;;) {
      try {
        yield* sys.sleep(1_000_000);
      } catch {}
    }
  });
  await started.promise;
  expect(await stubborn.stop(20)).toBe("forced");
  expect(await stubborn.stop(20)).toBe("forced");
  expect(() => stubborn.kernel.spawn(function* () {})).toThrow(
    expect.objectContaining({ code: "kernel.shutting-down" }),
  );
});

test("policy `log`: a failure nobody waits for is logged once and the others go on", async () => {
  const lines: [string, string, LogFields | undefined][] = [];
  const logger: Logger = { log: (...line) => void lines.push(line as never), child: () => logger };
  const running = start({ logger });
  running.kernel.spawn(
    function* () {
      throw new RangeError("on purpose");
    },
    { name: "faulty" },
  );
  const other = running.kernel.spawn(function* (sys) {
    yield* sys.sleep(5);
    return "went on";
  });
  expect(await running.exitOf(other)).toEqual({ kind: "ok", value: "went on" });
  expect(lines).toMatchObject([
    ["error", expect.any(String), { name: "faulty", path: "/0", error: "on purpose" }],
  ]);
});

test("policy `stop`: a failure nobody waits for ends the kernel and is what `ended` rejects with", async () => {
  const running = start({ failures: "stop" });
  const cause = new RangeError("on purpose");
  running.kernel.spawn(function* () {
    throw cause;
  });
  const other = running.kernel.spawn(function* (sys) {
    yield* sys.sleep(1_000_000);
  });
  const refusal = { code: "host.unhandled-failure", cause };
  await expect(running.ended()).rejects.toMatchObject(refusal);
  await expect(running.ended()).rejects.toMatchObject(refusal);
  expect(running.kernel.exitOf(other)?.kind).toBe("cancelled");
});

test("a kernel has one pump, and slices have bounds", () => {
  const { kernel } = start();
  const timers = createSystemTimers();
  expect(() => runKernel(kernel, { timers })).toThrow(
    expect.objectContaining({ code: "host.already-running" }),
  );
  for (const sliceSwitches of [1023, 4097, 2000.5, Number.NaN])
    expect(() => runKernel(newKernel(), { timers, sliceSwitches })).toThrow(
      expect.objectContaining({ code: "host.bad-option" }),
    );
});

test("asking for the end of a task that never was is refused", async () => {
  await expect(start().exitOf(5 as TaskId)).rejects.toMatchObject({ code: "kernel.unknown-task" });
});
