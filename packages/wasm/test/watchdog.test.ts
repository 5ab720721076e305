import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { Heartbeat, type RunningStep, StepWatch } from "../src/watchdog.ts";
import { guest } from "./guest.ts";

const QUICK = `(module (import "glia.v1" "yield" (func $y (result i32))) (func (export "glia_main") (result i32) (call $y)))`;
const ENDLESS = `(module (global $n (mut i64) (i64.const 0)) (func (export "glia_main") (result i32)
  (loop $l (global.set $n (i64.add (global.get $n) (i64.const 1))) (br $l)) (i32.const 0)))`;

it("another thread sees which guest does not end its step, and ends the thread", async () => {
  const heartbeat = new Heartbeat();
  const watch = new StepWatch(heartbeat.shared);
  expect(watch.read()).toBeUndefined();
  const worker = new Worker(new URL("./watchdog-worker.ts", import.meta.url), {
    execArgv: ["--conditions=@glia-os/source", "--no-warnings"],
    workerData: { shared: heartbeat.shared, quick: await guest(QUICK), endless: await guest(ENDLESS) },
  });
  const messages: unknown[] = [];
  worker.on("message", (message) => messages.push(message));
  await once(worker, "message");
  let overdue: RunningStep | undefined;
  while (overdue === undefined) {
    await setImmediate();
    overdue = watch.overdue();
  }
  expect(overdue).toMatchObject({ guest: 2, limitMs: 50 });
  expect(overdue.runningMs).toBeGreaterThan(50);
  await worker.terminate();
  expect(messages).toEqual([{ kind: "pending", call: { requestId: 1, op: "yield", args: [] } }]);
});

it("a thread that runs no guest is never overdue", () => {
  const heartbeat = new Heartbeat();
  const watch = new StepWatch(heartbeat.shared);
  heartbeat.begin(7, 0);
  expect(watch.read()).toMatchObject({ guest: 7, limitMs: 0 });
  heartbeat.end();
  expect(watch.read()).toBeUndefined();
  expect(watch.overdue()).toBeUndefined();
});

it("a reading ends although the writer stopped in the middle of a write", () => {
  const heartbeat = new Heartbeat();
  heartbeat.begin(1, 0);
  Atomics.add(new Int32Array(heartbeat.shared), 0, 1);
  expect(new StepWatch(heartbeat.shared).read()).toBeUndefined();
});
