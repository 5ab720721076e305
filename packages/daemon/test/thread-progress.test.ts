import { Worker } from "node:worker_threads";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import { expect, test } from "vitest";
import {
  answerProgress,
  createProgress,
  LOOKS,
  LOOKS_AT_REST,
  ProgressWatch,
} from "../src/thread-progress.ts";

/** Timers that fire when the test says so. */
class HandTimers implements Timers {
  readonly #due: { fire: () => void; live: boolean }[] = [];

  schedule(_delayMs: number, fire: () => void): TimerHandle {
    const entry = { fire, live: true };
    this.#due.push(entry);
    return { cancel: () => void (entry.live = false) };
  }

  get waiting(): number {
    return this.#due.filter(({ live }) => live).length;
  }

  fire(): void {
    for (const entry of this.#due.splice(0)) if (entry.live) entry.fire();
  }
}

function watched(
  shared: SharedArrayBuffer,
  atRest = () => false,
): { look: () => void; told: string[]; watch: ProgressWatch } {
  const timers = new HandTimers();
  const told: string[] = [];
  const watch = new ProgressWatch({
    shared,
    timers,
    stalled: () => told.push("stalled"),
    back: () => told.push("back"),
    atRest,
  });
  return { look: () => timers.fire(), told, watch };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("TP2, TP3: a thread that answers no more has stalled after two looks, once, and is back with its next answer", async () => {
  const shared = createProgress();
  answerProgress(shared);
  const { look, told } = watched(shared);
  const [asked, answered] = [0, 1].map((at) => () => Atomics.load(new Int32Array(shared), at));
  const answers = async (): Promise<void> => {
    while (asked?.() !== answered?.()) await turn();
  };
  for (let n = 0; n < 10; n++) {
    await answers();
    look();
  }
  expect(told).toEqual([]);
  // No turn of the event loop between these looks: nothing can answer.
  for (let n = 1; n < LOOKS; n++) look();
  expect(told).toEqual([]);
  for (let n = 0; n < 10; n++) look();
  expect(told).toEqual(["stalled"]);
  await answers();
  look();
  for (let n = 0; n < LOOKS; n++) look();
  expect(told).toEqual(["stalled", "back", "stalled"]);
});

test("TP4: a thread nothing lives on is asked by each fifth look, and by each once something does", async () => {
  const shared = createProgress();
  answerProgress(shared);
  let rest = true;
  const { look, told, watch } = watched(shared, () => rest);
  const words = new Int32Array(shared);
  const asked = async (looks: number): Promise<number> => {
    const before = Atomics.load(words, 0);
    for (let n = 0; n < looks; n++) {
      while (Atomics.load(words, 0) !== Atomics.load(words, 1)) await turn();
      look();
    }
    return Atomics.load(words, 0) - before;
  };
  expect(await asked(4 * LOOKS_AT_REST)).toBe(4);
  rest = false;
  expect(await asked(7)).toBe(7);
  expect(told).toEqual([]);
  watch.stop();
});

test("TP1: another thread answers from its event loop, and not while something holds that", async () => {
  const shared = createProgress();
  const gate = new SharedArrayBuffer(4);
  const source = new URL("../src/thread-progress.ts", import.meta.url).href;
  const program = `
    const { parentPort, workerData } = require("node:worker_threads");
    import(${JSON.stringify(source)}).then(({ answerProgress }) => {
      answerProgress(workerData.shared);
      parentPort.on("message", () => {
        parentPort.postMessage("held");
        Atomics.wait(new Int32Array(workerData.gate), 0, 0);
      });
      parentPort.postMessage("up");
    });`;
  const worker = new Worker(program, {
    eval: true,
    workerData: { shared, gate },
    execArgv: ["--conditions=@glia-os/source"],
  });
  try {
    await new Promise((resolve) => worker.once("message", resolve));
    const words = new Int32Array(shared);
    const { look, told } = watched(shared);
    const answered = async (): Promise<void> => {
      while (Atomics.load(words, 0) !== Atomics.load(words, 1)) await turn();
    };
    for (let n = 0; n < 5; n++) {
      await answered();
      look();
    }
    await answered();
    const held = new Promise((resolve) => worker.once("message", resolve));
    worker.postMessage("hold");
    await held;
    for (let n = 0; n < LOOKS + 1; n++) look();
    expect(told).toEqual(["stalled"]);
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    await answered();
    look();
    expect(told).toEqual(["stalled", "back"]);
  } finally {
    await worker.terminate();
  }
});

test("before its first answer a thread is starting, and a watch that was stopped holds no timer", () => {
  const looking = new HandTimers();
  const told: string[] = [];
  const watch = new ProgressWatch({
    shared: createProgress(),
    timers: looking,
    stalled: () => told.push("stalled"),
    back: () => told.push("back"),
    atRest: () => false,
  });
  for (let look = 0; look < 3 * LOOKS; look++) looking.fire();
  expect(told).toEqual([]);
  watch.stop();
  expect(looking.waiting).toBe(0);
});
