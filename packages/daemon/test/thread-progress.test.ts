import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import { expect, test } from "vitest";
import { countProgress, createProgress, LOOKS, ProgressWatch } from "../src/thread-progress.ts";

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

function watched(): { counting: HandTimers; looking: HandTimers; told: string[]; watch: ProgressWatch } {
  const shared = createProgress();
  const [counting, looking] = [new HandTimers(), new HandTimers()];
  const told: string[] = [];
  countProgress(shared, counting);
  const watch = new ProgressWatch({
    shared,
    timers: looking,
    stalled: () => told.push("stalled"),
    back: () => told.push("back"),
  });
  return { counting, looking, told, watch };
}

test("TP1, TP3: a thread that counts no more has stalled after two looks, once, and is back with its next count", () => {
  const { counting, looking, told } = watched();
  for (let look = 0; look < 10; look++) {
    counting.fire();
    looking.fire();
  }
  expect(told).toEqual([]);
  for (let look = 1; look < LOOKS; look++) looking.fire();
  expect(told).toEqual([]);
  for (let look = 0; look < 10; look++) looking.fire();
  expect(told).toEqual(["stalled"]);
  counting.fire();
  looking.fire();
  for (let look = 0; look < LOOKS; look++) looking.fire();
  expect(told).toEqual(["stalled", "back", "stalled"]);
});

test("TP2: nothing is judged while nobody looks, however long that is", () => {
  const { counting, looking, told } = watched();
  counting.fire();
  looking.fire();
  looking.fire();
  counting.fire();
  looking.fire();
  expect(told).toEqual([]);
});

test("before its first count a thread is starting, and a watch that was stopped holds no timer", () => {
  const looking = new HandTimers();
  const told: string[] = [];
  const watch = new ProgressWatch({
    shared: createProgress(),
    timers: looking,
    stalled: () => told.push("stalled"),
    back: () => told.push("back"),
  });
  for (let look = 0; look < 3 * LOOKS; look++) looking.fire();
  expect(told).toEqual([]);
  watch.stop();
  expect(looking.waiting).toBe(0);
});
