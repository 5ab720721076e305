import { FixedBlockPool } from "@glia-os/rt";
import { LITHIUM_ION, SimulatedBattery, SimulatedMicrocontroller, voltsAt } from "@glia-os/rt/simulated";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

const HOUR = 3.6e9;
const board = (capacityMilliampHours = 1000): SimulatedMicrocontroller =>
  new SimulatedMicrocontroller({
    fullMilliwatts: 100,
    memoryBytes: 4096,
    battery: { capacityMilliampHours },
  });

describe("a simulated battery", () => {
  it("never has less voltage with more charge, on any point of its curve (DC1)", () => {
    let before = 0;
    for (let percent = 0; percent <= 100; percent += 0.1) {
      const volts = voltsAt(LITHIUM_ION, percent);
      expect(volts).toBeGreaterThanOrEqual(before);
      before = volts;
    }
    expect([voltsAt(LITHIUM_ION, 0), voltsAt(LITHIUM_ION, 100)]).toEqual([3.0, 4.2]);
    expect(voltsAt(LITHIUM_ION, 50)).toBeCloseTo(3.82, 10);
  });

  it("empties faster toward its end, and says when it is empty (SB1, SB2)", () => {
    const battery = new SimulatedBattery({ capacityMilliampHours: 1000 });
    const lost: number[] = [];
    for (let hour = 0; hour < 36; hour++) {
      const before = battery.percent;
      expect(battery.drain(100, HOUR)).toBe(HOUR);
      lost.push(before - battery.percent);
    }
    expect(lost.at(-1)).toBeGreaterThan((lost[0] as number) * 1.1);
    const lasted = battery.drain(100, 100 * HOUR);
    expect(lasted).toBeGreaterThan(HOUR);
    expect(lasted).toBeLessThan(3 * HOUR);
    expect([battery.percent, battery.drain(1, 1)]).toEqual([0, 0]);
  });

  it("takes the same for one long drain as for many short ones", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 500 }), (parts, milliwatts) => {
        const [one, many] = [0, 1].map(() => new SimulatedBattery({ capacityMilliampHours: 500 }));
        one?.drain(milliwatts, HOUR);
        for (let i = 0; i < parts; i++) many?.drain(milliwatts, HOUR / parts);
        expect(Math.abs((one?.percent ?? 0) - (many?.percent ?? 0))).toBeLessThan(0.05);
      }),
    );
  });

  it("refuses curves and amounts that make no sense", () => {
    for (const curve of [
      [],
      [[0, 3]],
      [
        [0, 3],
        [50, 4],
      ],
      [
        [0, 4],
        [100, 3],
      ],
      [
        [0, 3],
        [0, 4],
        [100, 4],
      ],
    ] as never[])
      expect(codeOf(() => new SimulatedBattery({ capacityMilliampHours: 1, curve }))).toBe("rt.bad-option");
    for (const capacityMilliampHours of [0, -1, Number.NaN])
      expect(codeOf(() => new SimulatedBattery({ capacityMilliampHours }))).toBe("rt.bad-option");
    const battery = new SimulatedBattery({ capacityMilliampHours: 1, percent: 50 });
    expect(codeOf(() => battery.drain(-1, 1))).toBe("rt.bad-option");
    expect(codeOf(() => battery.charge(Number.NaN))).toBe("rt.bad-option");
    battery.charge(10);
    expect(battery.percent).toBe(100);
  });
});

describe("a simulated microcontroller", () => {
  it("takes the energy of each mode for its time, of waking at full power, and of each use (MC1)", () => {
    const mcu = board();
    mcu.advance(1_000_000);
    mcu.processor.enter("sleep");
    mcu.advance(1_000_000);
    expect(mcu.raise("interrupt")?.afterMicros).toBe(100);
    mcu.spend("radio", 300, 10_000);
    const { byMode, byUse, wakingMillijoules, totalMillijoules } = mcu.energy();
    expect(byMode.normal).toBeCloseTo(100, 9);
    expect(byMode.sleep).toBeCloseTo(5, 9);
    expect(wakingMillijoules).toBeCloseTo(0.01, 9);
    expect(byUse["radio"]).toBeCloseTo(3, 9);
    expect(totalMillijoules).toBeCloseTo(108.01, 9);
    expect(mcu.nowMicros).toBe(2_000_100);
  });

  it("lives twenty times longer asleep than awake, and its battery pays what the account says", () => {
    const days = (mode: "normal" | "sleep"): number => {
      const mcu = board();
      if (mode === "sleep") mcu.processor.enter("sleep");
      let hours = 0;
      for (; mcu.alive; hours++) mcu.advance(HOUR);
      return hours / 24;
    };
    const ratio = days("sleep") / days("normal");
    expect(ratio).toBeGreaterThan(19);
    expect(ratio).toBeLessThan(21);
  });

  it("is woken by SysTick from sleep and not from standby, where its clock is stopped", () => {
    const mcu = board();
    mcu.sysTick.start(999);
    mcu.processor.enter("sleep");
    expect(mcu.advance(5000)?.woke).toBe(true);
    expect([mcu.processor.state, mcu.processor.take()]).toEqual(["running", "sys-tick"]);
    mcu.processor.enter("standby");
    expect(mcu.advance(1_000_000)).toBeUndefined();
    expect(mcu.raise("rtc")?.afterMicros).toBe(1000);
  });

  it("keeps its memory, and a pool in it, through standby; in shutdown both are lost, and the old program is refused (MC2)", () => {
    const mcu = board();
    const boot = mcu.processor.boots;
    const pool = new FixedBlockPool({ blockBytes: 32, blocks: 8, buffer: mcu.memory(boot) });
    const at = pool.alloc();
    new Uint8Array(mcu.memory(boot), at, 32).fill(7);
    mcu.processor.enter("standby");
    mcu.advance(1e6);
    mcu.raise("pin");
    expect(FixedBlockPool.attach(mcu.memory(boot)).isAllocated(at)).toBe(true);
    expect(new Uint8Array(mcu.memory(boot), at, 32).every((byte) => byte === 7)).toBe(true);
    mcu.processor.take();
    mcu.processor.enter("shutdown");
    expect(codeOf(() => mcu.memory())).toBe("rt.memory-lost");
    expect(mcu.raise("pin")).toMatchObject({ memoryLost: true, afterMicros: 100_000 });
    expect(codeOf(() => mcu.memory(boot))).toBe("rt.memory-lost");
    expect(codeOf(() => FixedBlockPool.attach(mcu.memory()))).toBe("rt.bad-option");
  });

  it("is off when its battery is empty, whatever it was doing, and nothing wakes it (MC3)", () => {
    const mcu = board(0.01);
    mcu.sysTick.start(999);
    mcu.advance(HOUR);
    expect([mcu.alive, mcu.processor.state, mcu.processor.mode]).toEqual([false, "off", "shutdown"]);
    expect(mcu.raise("reset")).toBeUndefined();
    expect(mcu.batteryReading()).toEqual({ percent: 0, charging: false });
    expect(codeOf(() => mcu.memory())).toBe("rt.memory-lost");
    expect(mcu.nowMicros).toBe(HOUR);
  });

  it("refuses options out of range", () => {
    const battery = { capacityMilliampHours: 1 };
    for (const bad of [{ fullMilliwatts: -1 }, { memoryBytes: 0 }, { sysTickHertz: 0 }])
      expect(codeOf(() => new SimulatedMicrocontroller({ battery, ...bad }))).toBe("rt.bad-option");
    expect(codeOf(() => board().advance(-1))).toBe("rt.bad-option");
    expect(codeOf(() => board().spend("radio", 1, Number.NaN))).toBe("rt.bad-option");
  });
});
