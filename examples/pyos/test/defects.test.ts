/** Faults of the course's program, each shown to be absent here. The lost second waiter of a socket: `packages/host/test/sockets.test.ts`. */

import type { Sys } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { boot } from "../machine.ts";

test("killing a task inside a part of its program ends the whole program, inner part first", () => {
  const { kernel, clock } = createTestKernel();
  const notes: string[] = [];
  function* inner(sys: Sys) {
    try {
      yield* sys.waitOn("never");
    } finally {
      notes.push("inner ends");
    }
  }
  const victim = kernel.spawn(function* (sys) {
    try {
      yield* inner(sys);
      notes.push("outer went on");
    } finally {
      notes.push("outer ends");
    }
  });
  kernel.runSlice();
  kernel.kill(victim);
  runToCompletion(kernel, clock);
  expect(notes).toEqual(["inner ends", "outer ends"]);
  expect(kernel.exitOf(victim)?.kind).toBe("killed");
});

test("the answer of one call never shows up as the answer of the next", () => {
  const { kernel, clock } = createTestKernel();
  const task = kernel.spawn(function* (sys) {
    const child = sys.spawn(function* () {
      return 3;
    });
    const end = yield* sys.wait(child);
    return [end, yield* sys.yield(), yield* sys.sleep(1), yield* sys.yield()];
  });
  runToCompletion(kernel, clock);
  expect(kernel.exitOf(task)).toEqual({
    kind: "ok",
    value: [{ kind: "ok", value: 3 }, undefined, undefined, undefined],
  });
});

test("running ends when the last task has ended", async () => {
  const machine = boot();
  machine.kernel.spawn(function* (sys) {
    yield* sys.yield();
  });
  await machine.ended();
  expect(machine.kernel.liveTasks).toBe(0);
});

test("an exception of one task ends that task; the others and the kernel go on", () => {
  const { kernel, clock } = createTestKernel();
  const bad = kernel.spawn(function* () {
    throw new RangeError("bad");
  });
  const good = kernel.spawn(function* (sys) {
    yield* sys.sleep(10);
    return "went on";
  });
  runToCompletion(kernel, clock);
  expect(kernel.exitOf(bad)?.kind).toBe("failed");
  expect(kernel.exitOf(good)).toEqual({ kind: "ok", value: "went on" });
});

test("a killed task waits for nothing any more", () => {
  const { kernel, clock } = createTestKernel();
  const source = kernel.resource({ name: "source", read: () => undefined, close: () => undefined });
  const handle = kernel.open(source);
  const victim = kernel.spawn(
    function* (sys, h) {
      yield* sys.readWait(h);
    },
    { give: [handle] },
  );
  runToCompletion(kernel, clock);
  kernel.kill(victim);
  runToCompletion(kernel, clock);
  source.setReadable(true);
  expect(kernel.runSlice()).toBe("idle");
  expect(kernel.exitOf(victim)?.kind).toBe("killed");
});
