import type { Sensors } from "@glia-os/abi/ports";
import { type Readings, readSensors, Threshold, Triggers } from "@glia-os/rt";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

const battery = (percent: number, charging = false): Readings => ({ battery: { percent, charging } });

describe("triggers", () => {
  it("say that the battery is low below 20 percent when it is not charged, until 25 (TG1)", () => {
    const triggers = new Triggers();
    expect(triggers.observe(battery(20), 0).raised).toEqual([]);
    expect(triggers.observe(battery(19), 1).raised).toEqual(["battery-low"]);
    expect(triggers.observe(battery(22), 2)).toEqual({ raised: [], cleared: [] });
    expect(triggers.observe(battery(19), 3)).toEqual({ raised: [], cleared: [] });
    expect(triggers.observe(battery(25), 4).cleared).toEqual(["battery-low"]);
    expect(new Triggers().observe(battery(3, true), 0).raised).toEqual([]);
  });

  it("are not cleared by a charger that comes and goes, but by one that stays for 30 s (TG1)", () => {
    const triggers = new Triggers();
    triggers.observe(battery(10), 0);
    for (let ms = 1000; ms < 100_000; ms += 1000)
      expect(triggers.observe(battery(10, ms % 2000 === 0), ms).cleared).toEqual([]);
    expect(triggers.observe(battery(10, true), 100_000).cleared).toEqual([]);
    expect(triggers.observe(battery(11, true), 129_999).cleared).toEqual([]);
    expect(triggers.observe(battery(11, true), 130_000).cleared).toEqual(["battery-low"]);
    expect(triggers.observe(battery(11), 131_000).raised).toEqual(["battery-low"]);
  });

  it("say warm from 70 and hot from 85 degrees, each until 5 degrees less (TG2)", () => {
    const triggers = new Triggers();
    const at = (temperatureCelsius: number) => triggers.observe({ temperatureCelsius }, 0);
    expect(at(70).raised).toEqual(["warm"]);
    expect(at(85).raised).toEqual(["hot"]);
    expect(at(80)).toEqual({ raised: [], cleared: [] });
    expect(at(79.9).cleared).toEqual(["hot"]);
    expect(at(64).cleared).toEqual(["warm"]);
  });

  it("say overload after 30 s without a break, and not of bursts or of a sensor that says nothing (TG3, TH2)", () => {
    const triggers = new Triggers();
    const at = (ms: number, cpuLoad: number | undefined) =>
      triggers.observe({ cpuLoad, queueDepth: 100 }, ms).raised;
    expect(at(0, 0.9)).toEqual([]);
    expect(at(20_000, 0.2)).toEqual([]);
    expect(at(21_000, 0.9)).toEqual([]);
    expect(at(30_000, 0.9)).toEqual(["queue-depth"]);
    expect(at(45_000, undefined)).toEqual([]);
    expect(at(51_000, 0.85)).toEqual([]);
    expect(at(80_999, 1)).toEqual([]);
    expect(at(81_000, 1)).toEqual(["cpu-load"]);
    expect(triggers.observe({ cpuLoad: 0.75, queueDepth: 81 }, 82_000).cleared).toEqual([]);
    expect(triggers.observe({ cpuLoad: 0.74, queueDepth: 79 }, 83_000).cleared).toEqual([
      "cpu-load",
      "queue-depth",
    ]);
  });

  it("refuse readings that no sensor gives, and options out of range", () => {
    const triggers = new Triggers();
    for (const bad of [
      battery(101),
      battery(-1, true),
      battery(Number.NaN),
      { battery: { percent: 5, charging: "yes" } } as unknown as Readings,
      { temperatureCelsius: Number.NaN },
      { cpuLoad: 1.1 },
      { memoryLoad: -0.1 },
      { queueDepth: -1 },
    ])
      expect(codeOf(() => triggers.observe(bad, 0))).toBe("rt.bad-reading");
    expect([...triggers.raised]).toEqual([]);
    for (const bad of [
      { batteryLowPercent: 101 },
      { cpuLoad: 2 },
      { loadForMs: -1 },
      { hotCelsius: Number.NaN },
    ])
      expect(codeOf(() => new Triggers(bad))).toBe("rt.bad-option");
    const wrong = { what: "x", when: "above", at: 5, clearAt: 6, least: 0, most: 9 } as const;
    expect(codeOf(() => new Threshold(wrong))).toBe("rt.bad-option");
  });

  it("read every sensor of the machine once; what no sensor says stays unknown", async () => {
    const sensors: Sensors = {
      battery: async () => undefined,
      temperatureCelsius: async () => 40,
      cpuLoad: async () => undefined,
      availableMemoryBytes: async () => 25,
    };
    expect(await readSensors(sensors, 100)).toEqual({
      battery: undefined,
      temperatureCelsius: 40,
      cpuLoad: undefined,
      memoryLoad: 0.75,
    });
    expect((await readSensors(sensors)).memoryLoad).toBeUndefined();
  });
});
