import type { Clock, TimerHandle, Timers } from "@glia-os/abi/ports";
import { createHostPower, POWER_CALLBACKS_MAX, processActivity } from "@glia-os/host";
import { expect, test } from "vitest";

/** Time that passes when the test says so. */
class HandTime implements Clock, Timers {
  #nowMs = 0;
  readonly #due = new Set<{ atMs: number; fire: () => void }>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, fire: () => void): TimerHandle {
    const due = { atMs: this.#nowMs + delayMs, fire };
    this.#due.add(due);
    return { cancel: () => void this.#due.delete(due) };
  }

  get pending(): number {
    return this.#due.size;
  }

  pass(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#due].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > end) break;
      this.#due.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
    this.#nowMs = end;
  }
}

function rig() {
  const time = new HandTime();
  return { time, power: createHostPower({ clock: time, timers: time }) };
}

test("HP1: a process with nothing due has no timer, and one timer however much is due", async () => {
  const { time, power } = rig();
  const woken = power.waitForInterrupt();
  expect(time.pending).toBe(0);
  const handles = [100, 250, 70].map((ms) => power.every(ms, () => undefined));
  expect(time.pending).toBe(1);
  for (const handle of handles) handle.cancel();
  expect(time.pending).toBe(0);
  time.pass(1e9);
  expect(power.wakeUps).toBe(0);
  power.raise("interrupt");
  expect(await woken).toBe("interrupt");
});

test("HP2: periodic callbacks stretch with the mode, and similar ones share their wake-ups", () => {
  const { time, power } = rig();
  const counts = [0, 0, 0];
  for (const [i, ms] of [1000, 1020, 1050].entries())
    power.every(ms, () => void (counts[i] = (counts[i] ?? 0) + 1));
  time.pass(100_000);
  expect(counts).toEqual([100, 100, 100]);
  expect(power.wakeUps).toBe(100);
  power.enter("low-power");
  time.pass(100_000);
  expect(counts[0]).toBeGreaterThanOrEqual(149);
  expect(counts[0]).toBeLessThanOrEqual(151);
  power.enter("ultra-low-power");
  time.pass(100_000);
  expect(counts[0]).toBeLessThanOrEqual(171);
  expect(power.wakeUps).toBe(counts[0]);
});

test("HP3: sleep and standby hold periodic callbacks; an alarm ends both, an interrupt only sleep", () => {
  const { time, power } = rig();
  let [ticks, alarms] = [0, 0];
  power.every(10, () => void ticks++);
  power.enter("sleep");
  time.pass(1000);
  expect([ticks, power.mode]).toEqual([0, "sleep"]);
  power.raise("interrupt");
  expect(power.mode).toBe("normal");
  time.pass(1000);
  expect(ticks).toBeGreaterThanOrEqual(99);
  void power.waitForInterrupt();
  power.enter("standby");
  const before = ticks;
  power.alarm(500, () => void alarms++);
  power.raise("interrupt");
  time.pass(499);
  expect([power.mode, ticks, alarms]).toEqual(["standby", before, 0]);
  time.pass(1);
  expect([power.mode, alarms]).toEqual(["normal", 1]);
});

test("HP4, bad input: shutdown, periods, delays and too many callbacks are refused", () => {
  const { power } = rig();
  expect(() => power.enter("shutdown")).toThrow("cannot switch its machine off");
  for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => power.every(bad, () => undefined)).toThrow("periodMs");
  expect(() => power.alarm(-1, () => undefined)).toThrow("delayMs");
  for (let i = 0; i < POWER_CALLBACKS_MAX; i++) power.alarm(1, () => undefined);
  expect(() => power.alarm(1, () => undefined)).toThrow("at most 1024");
  power.stop();
  power.alarm(1, () => undefined);
});

test("HP5: a callback that throws, or cancels another, harms none that is due", () => {
  const { time, power } = rig();
  const seen: string[] = [];
  power.every(10, () => {
    throw new TypeError("broken");
  });
  power.every(10, () => {
    seen.push("b");
    c.cancel();
  });
  const c = power.every(10, () => void seen.push("c"));
  expect(() => time.pass(10)).toThrow("broken");
  expect(seen).toEqual(["b"]);
  expect(time.pending).toBe(1);
});

test.skipIf(process.platform !== "linux")(
  "PA1, PA2: waiting is counted as wake-ups (needs Linux)",
  async () => {
    const before = processActivity(process.pid);
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setTimeout(resolve, 1));
    const after = processActivity(process.pid);
    expect((after?.wakeUps ?? 0) - (before?.wakeUps ?? 0)).toBeGreaterThan(20);
    expect(after?.cpuMs).toBeGreaterThan(0);
    expect(processActivity(2 ** 30)).toBeUndefined();
  },
);
