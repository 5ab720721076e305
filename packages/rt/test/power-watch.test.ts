import type { BatteryReading, Sensors } from "@glia-os/abi/ports";
import { type PowerEvent, PowerWatch } from "@glia-os/rt";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

/** A machine whose sensors say what the test says, in time that passes by hand. */
function machine() {
  const says = {
    battery: { percent: 80, charging: false } as BatteryReading | undefined,
    cpuLoad: 0.5,
    broken: false,
    reads: 0,
  };
  const sensors: Sensors = {
    battery: async () => {
      says.reads++;
      if (says.broken) throw new RangeError("the sensor of the test");
      return says.battery;
    },
    temperatureCelsius: async () => undefined,
    cpuLoad: async () => says.cpuLoad,
    availableMemoryBytes: async () => 500,
  };
  let nowMs = 0;
  let due: { atMs: number; fire: () => void }[] = [];
  const timers = {
    schedule: (delayMs: number, fire: () => void) => {
      const entry = { atMs: nowMs + delayMs, fire };
      due.push(entry);
      return { cancel: () => void (due = due.filter((other) => other !== entry)) };
    },
  };
  const pass = async (ms: number): Promise<void> => {
    for (const end = nowMs + ms; nowMs <= end; nowMs += 1000) {
      for (const entry of due.filter(({ atMs }) => atMs <= nowMs)) {
        due = due.filter((other) => other !== entry);
        entry.fire();
      }
      for (let turn = 0; turn < 10; turn++) await undefined;
    }
  };
  const events: PowerEvent[] = [];
  const failures: unknown[] = [];
  const watch = new PowerWatch({
    sensors,
    timers,
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
    listen: (event) => events.push(event),
    failed: (error) => failures.push(error),
    totalMemoryBytes: 1000,
  });
  return { says, pass, events, failures, watch, waiting: () => due.length };
}

describe("a power watch", () => {
  it("tells of its first look, then only of what changes (PW2)", async () => {
    const { says, pass, events, watch } = machine();
    watch.start();
    watch.start();
    await pass(60_000);
    expect(says.reads).toBe(7);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ raised: [], cleared: [], readings: { memoryLoad: 0.5, cpuLoad: 0.5 } });
    says.battery = { percent: 19, charging: false };
    await pass(30_000);
    expect(events.slice(1).map(({ raised }) => raised)).toEqual([["battery-low"]]);
    expect([...(watch.state?.standing ?? [])]).toEqual(["battery-low"]);
    says.battery = { percent: 26, charging: false };
    await pass(30_000);
    expect(events.slice(2).map(({ cleared }) => cleared)).toEqual([["battery-low"]]);
  });

  it("follows the load with the operating point, and with how many jobs are to run (PW2, FG1)", async () => {
    const { says, pass, events, watch } = machine();
    watch.start();
    await pass(10_000);
    const before = watch.concurrency(16);
    says.cpuLoad = 0.1;
    await pass(60_000);
    expect(events.at(-1)?.point.name).toBe("minimum");
    expect(watch.concurrency(16)).toBeLessThan(before);
    expect(watch.concurrency(16)).toBeGreaterThanOrEqual(1);
  });

  it("takes a sensor that fails for one that says nothing, and says once that it does (PW3)", async () => {
    const { says, pass, events, failures, watch } = machine();
    says.battery = { percent: 10, charging: false };
    watch.start();
    await pass(10_000);
    says.broken = true;
    await pass(60_000);
    expect(failures).toHaveLength(1);
    expect(events).toHaveLength(1);
    expect([...(watch.state?.standing ?? [])]).toEqual(["battery-low"]);
    says.broken = false;
    await pass(20_000);
    says.broken = true;
    await pass(20_000);
    expect(failures).toHaveLength(2);
  });

  it("goes on after a reading that no sensor can give, and says which (PW4)", async () => {
    const { says, pass, failures, watch } = machine();
    says.battery = { percent: 400, charging: false };
    watch.start();
    await pass(10_000);
    expect(
      codeOf(() => {
        throw failures[0];
      }),
    ).toBe("rt.bad-reading");
    says.battery = { percent: 4, charging: false };
    await pass(20_000);
    expect([...(watch.state?.standing ?? [])]).toEqual(["battery-low"]);
  });

  it("shares a look that is under way, holds no timer once stopped, and refuses bad options (PW1)", async () => {
    const { says, pass, watch, waiting } = machine();
    expect(watch.state).toBeUndefined();
    const [first, second] = await Promise.all([watch.look(), watch.look()]);
    expect(first).toBe(second);
    expect(says.reads).toBe(1);
    watch.start();
    await pass(20_000);
    watch.stop();
    watch.stop();
    expect(waiting()).toBe(0);
    const options = {
      sensors: {} as Sensors,
      clock: { monotonicMs: () => 0, wallMs: () => 0 },
      listen: () => undefined,
    };
    const timers = { schedule: () => ({ cancel: () => undefined }) };
    for (const everyMs of [0, 99, 3_600_001, Number.NaN])
      expect(codeOf(() => new PowerWatch({ ...options, timers, everyMs }))).toBe("rt.bad-option");
  });
});
