import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combineBatteries, parsePowerSupply } from "../src/parse/power-supply.ts";
import { parseMillidegrees } from "../src/parse/thermal.ts";
import { createSystemSensors } from "../src/sensors.ts";
import { sensorsContract } from "../src/testing/index.ts";
import { machineOf, recordedMachine } from "./recorded-machine.ts";

const KiB = 1024;

describe("the sensors of this machine", () => {
  for (const contract of sensorsContract(() => createSystemSensors())) it(contract.title, contract.run);
});

describe("recorded machines", () => {
  it("a laptop's battery and its hottest sensor are found; an empty zone is skipped", async () => {
    const sensors = createSystemSensors(recordedMachine("intel-hybrid-laptop", { architecture: "x86_64" }));
    expect(await sensors.battery()).toEqual({ percent: 17, charging: false });
    expect(await sensors.temperatureCelsius()).toBe(72);
  });

  it("a mouse is no battery of the machine, and a floating input of the board no heat", async () => {
    const sensors = createSystemSensors(recordedMachine("ryzen-desktop", { architecture: "x86_64" }));
    expect(await sensors.battery()).toBeUndefined();
    expect(await sensors.temperatureCelsius()).toBe(48.25);
  });

  it("a virtual machine has neither", async () => {
    const sensors = createSystemSensors(recordedMachine("xeon-microvm", { architecture: "x86_64" }));
    expect(await sensors.battery()).toBeUndefined();
    expect(await sensors.temperatureCelsius()).toBeUndefined();
  });

  it("available memory is the smaller of the machine's and the group's", async () => {
    const container = createSystemSensors(recordedMachine("docker-cgroup-v1", { architecture: "x86_64" }));
    expect(await container.availableMemoryBytes()).toBe(212 * KiB * KiB);
    const desktop = createSystemSensors(recordedMachine("ryzen-desktop", { architecture: "x86_64" }));
    expect(await desktop.availableMemoryBytes()).toBe(24_310_020 * KiB);
  });

  it("load is the busy share since the previous call", async () => {
    const readings = [
      [
        { busyMs: 100, idleMs: 900 },
        { busyMs: 0, idleMs: 1000 },
      ],
      [
        { busyMs: 400, idleMs: 900 },
        { busyMs: 0, idleMs: 1100 },
      ],
      [
        { busyMs: 400, idleMs: 900 },
        { busyMs: 0, idleMs: 1100 },
      ],
      [{ busyMs: 400, idleMs: 900 }],
    ];
    const machine = machineOf(new Map(), { architecture: "x86_64", cpuTimes: () => readings.shift() ?? [] });
    const sensors = createSystemSensors(machine);
    expect(await sensors.cpuLoad()).toBeUndefined();
    expect(await sensors.cpuLoad()).toBe(0.75);
    expect(await sensors.cpuLoad(), "no time passed").toBeUndefined();
    expect(await sensors.cpuLoad(), "a processor went away").toBeUndefined();
  });
});

describe("systems that only the library can ask", () => {
  const ask = (library: object) =>
    createSystemSensors(
      machineOf(new Map(), { platform: "darwin", architecture: "aarch64", freeBytes: 77, library }),
    );

  it("its readings are passed on", async () => {
    const sensors = ask({
      battery: async () => ({ hasBattery: true, percent: 64, isCharging: true }),
      cpuTemperature: async () => ({ main: 51, max: 55 }),
    });
    expect(await sensors.battery()).toEqual({ percent: 64, charging: true });
    expect(await sensors.temperatureCelsius()).toBe(55);
    expect(await sensors.availableMemoryBytes()).toBe(77);
  });

  it("what it does not know, or says in numbers that cannot be, is absent", async () => {
    const none = ask({
      battery: async () => ({ hasBattery: false, percent: 0, isCharging: false }),
      cpuTemperature: async () => ({ main: null, max: null }),
    });
    expect(await none.battery()).toBeUndefined();
    expect(await none.temperatureCelsius()).toBeUndefined();
    const odd = ask({
      battery: async () => ({ hasBattery: true, percent: null, isCharging: false }),
      cpuTemperature: async () => ({ main: 0, max: -1 }),
    });
    expect(await odd.battery()).toBeUndefined();
    expect(await odd.temperatureCelsius()).toBeUndefined();
  });

  it("a library that fails is a machine without sensors", async () => {
    expect(await ask({}).battery()).toBeUndefined();
    expect(await ask({}).temperatureCelsius()).toBeUndefined();
  });
});

describe("batteries", () => {
  it("several batteries are weighted by their full charge", () => {
    const small = { percent: 100, charging: false, full: 20 };
    const large = { percent: 10, charging: true, full: 60 };
    expect(combineBatteries([small, large])).toEqual({ percent: 32.5, charging: true });
    expect(combineBatteries([])).toBeUndefined();
  });

  it("a driver without a capacity gives the share from its charges", () => {
    expect(
      parsePowerSupply({ type: "Battery", charge_now: "300", charge_full: "1200", status: "Charging" }),
    ).toEqual({
      percent: 25,
      charging: true,
      full: 1200,
    });
  });

  it.each([
    {},
    { type: "Mains" },
    { type: "Battery" },
    { type: "Battery", capacity: "40", present: "0" },
    { type: "Battery", capacity: "full" },
  ])("%j is no battery", (folder) => expect(parsePowerSupply(folder)).toBeUndefined());

  it("whatever a driver writes, a reading is 0 to 100", () => {
    const text = fc.oneof(fc.string(), fc.nat().map(String));
    fc.assert(
      fc.property(text, text, text, (capacity, now, full) => {
        const reading = parsePowerSupply({ type: "Battery", capacity, energy_now: now, energy_full: full });
        if (reading === undefined) return;
        expect(reading.percent).toBeGreaterThanOrEqual(0);
        expect(reading.percent).toBeLessThanOrEqual(100);
      }),
    );
  });
});

describe("temperatures", () => {
  it.each([
    ["52095\n", 52.095],
    ["-5000", -5],
    ["-128000", undefined],
    ["127500", 127.5],
    ["255000", undefined],
    ["", undefined],
    ["hot", undefined],
  ])("%j millidegrees are %j degrees", (text, celsius) => expect(parseMillidegrees(text)).toBe(celsius));
});
