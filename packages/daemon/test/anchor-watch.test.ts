import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import { expect, test } from "vitest";
import {
  AnchorWatch,
  LOOK_EVERY_MS,
  PING_TIMEOUT_MS,
  PROVED_LOOKS,
  SILENT_LOOKS,
} from "../src/anchor-watch.ts";

/** Time that passes by hand, in steps of 250 ms. */
class Time implements Timers {
  nowMs = 0;
  #due: { atMs: number; fire: () => void }[] = [];

  schedule(delayMs: number, fire: () => void): TimerHandle {
    const entry = { atMs: this.nowMs + delayMs, fire };
    this.#due.push(entry);
    return { cancel: () => void (this.#due = this.#due.filter((other) => other !== entry)) };
  }

  get waiting(): number {
    return this.#due.length;
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.nowMs + ms; this.nowMs < end; ) {
      this.nowMs += 250;
      for (const entry of this.#due.filter(({ atMs }) => atMs <= this.nowMs)) {
        this.#due = this.#due.filter((other) => other !== entry);
        entry.fire();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** An anchor that answers, or is silent, as the test says. */
function anchor() {
  const time = new Time();
  const state = { answers: true, heardMs: 0 as number | undefined, pings: 0 };
  const told: string[] = [];
  const ping = (timeoutMs: number): Promise<void> => {
    state.pings++;
    const answers = state.answers;
    return new Promise((resolve, reject) => {
      if (answers) resolve();
      else time.schedule(timeoutMs, () => reject(new RangeError("no answer")));
    });
  };
  const parts = { timers: time, ping, heardMs: () => state.heardMs };
  const watch = new AnchorWatch({
    ...parts,
    lost: () => told.push(`lost ${time.nowMs}`),
    back: () => told.push("back"),
  });
  return { time, state, told, watch };
}

test("AW3: an anchor that is heard is pinged once in a while only; one that is silent and answers, at every look", async () => {
  const { time, state, told } = anchor();
  for (let look = 0; look < 2 * PROVED_LOOKS; look++) {
    state.heardMs = time.nowMs;
    await time.pass(LOOK_EVERY_MS);
  }
  expect(state.pings).toBe(2);
  await time.pass(SILENT_LOOKS * LOOK_EVERY_MS);
  const before = state.pings;
  await time.pass(5 * LOOK_EVERY_MS);
  expect(state.pings - before).toBe(5);
  expect(told).toEqual([]);
});

test("AW1, AW2: an anchor that ends is gone within seven seconds, whenever in a look it ended, and back with its first answer", async () => {
  for (let offsetMs = 0; offsetMs < LOOK_EVERY_MS; offsetMs += 250) {
    const { time, state, told, watch } = anchor();
    for (let quarter = 0; quarter < 16; quarter++) {
      state.heardMs = time.nowMs;
      await time.pass(250);
    }
    await time.pass(offsetMs);
    state.heardMs = time.nowMs;
    state.answers = false;
    const endedMs = time.nowMs;
    await time.pass(20_000);
    expect(told).toHaveLength(1);
    const lostMs = Number(told[0]?.split(" ")[1]);
    expect(lostMs - endedMs).toBeLessThanOrEqual(7000);
    // Not sooner than two pings can say it.
    expect(lostMs - endedMs).toBeGreaterThanOrEqual(LOOK_EVERY_MS + PING_TIMEOUT_MS);
    state.answers = true;
    await time.pass(LOOK_EVERY_MS);
    expect(told.slice(1)).toEqual(["back"]);
    watch.stop();
    await time.pass(PING_TIMEOUT_MS);
    expect(time.waiting).toBe(0);
  }
});
