/**
 * Loaded before every test file: ends a test process that hangs where vitest's own time limit cannot reach.
 *
 * G1. A thread that is stuck in a loop cannot run the timer of its time limit, so vitest would wait for ever. A second thread sees
 *     that the first no longer counts, says which test it is in, and kills the process; vitest reports the file as failed.
 * G2. A test process whose vitest is gone kills itself, so nothing is left behind when a run is interrupted.
 */
import { Worker } from "node:worker_threads";
import { beforeEach, inject } from "vitest";

/** What the watching thread reads: a counter that grows while the thread under test runs its timers, and the test's name. */
export interface Watched {
  readonly beats: Int32Array;
  readonly name: Uint8Array;
  readonly limitMs: number;
  readonly parent: number;
}

const nameBytesMax = 400;
const beatMs = 500;

const watched: Watched = {
  beats: new Int32Array(new SharedArrayBuffer(4)),
  name: new Uint8Array(new SharedArrayBuffer(nameBytesMax)),
  limitMs: inject("hangLimitMs"),
  parent: process.ppid,
};

setInterval(() => Atomics.add(watched.beats, 0, 1), beatMs).unref();
new Worker(new URL("./watch.ts", import.meta.url), { workerData: watched, execArgv: [] }).unref();

beforeEach(({ task }) => {
  watched.name.fill(0);
  new TextEncoder().encodeInto(`${task.file.name} > ${task.name}`, watched.name);
});
