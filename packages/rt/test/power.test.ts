import {
  modeForPause,
  POWER_MODES,
  type PowerMode,
  Processor,
  reloadFor,
  SYSTICK_RELOAD_MAX,
  SysTick,
  transitionRefusal,
  WAKE_SOURCES,
  type WakeSource,
} from "@glia-os/rt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

const MODES = POWER_MODES.map(({ mode }) => mode);
const SOURCES = WAKE_SOURCES.normal;
const stopped = MODES.filter((mode) => POWER_MODES.some((facts) => facts.mode === mode && !facts.runs));

function core(): { readonly cpu: Processor; readonly told: string[] } {
  const told: string[] = [];
  return { cpu: new Processor({ apply: ({ mode }, state) => told.push(`${mode} ${state}`) }), told };
}

describe("the power modes", () => {
  it("are the seed's table: 100 50 20 5 1 0 percent, 0 1 10 100 1000 100000 us, memory kept but in shutdown (PW1, PW2)", () => {
    expect(POWER_MODES.map(({ powerPercent }) => powerPercent)).toEqual([100, 50, 20, 5, 1, 0]);
    expect(POWER_MODES.map(({ wakeMicros }) => wakeMicros)).toEqual([0, 1, 10, 100, 1000, 100_000]);
    expect(MODES.filter((_, i) => POWER_MODES[i]?.retainsMemory !== true)).toEqual(["shutdown"]);
  });

  it("can follow one another from modes that run only; every other pair is a typed error that changes nothing (TR1, PR4)", () => {
    for (const from of MODES)
      for (const to of MODES) {
        const { cpu, told } = core();
        if (from !== "normal") cpu.enter(from);
        const before = [cpu.mode, cpu.state, told.length];
        const refused = transitionRefusal(from, to) !== undefined;
        expect(refused).toBe(stopped.includes(from) || from === to);
        const code = codeOf(() => cpu.enter(to));
        expect(code).toBe(refused ? "rt.bad-transition" : "nothing thrown");
        if (refused) expect([cpu.mode, cpu.state, told.length]).toEqual(before);
        else expect(cpu.mode).toBe(to);
      }
    expect(codeOf(() => core().cpu.enter("off" as PowerMode))).toBe("rt.bad-option");
  });

  it("are each left by the wake sources of their row and no other, back to the mode before (TR2, WS1)", () => {
    for (const mode of ["sleep", "standby"] as const)
      for (const source of SOURCES) {
        const { cpu } = core();
        cpu.enter("low-power");
        cpu.enter(mode);
        const wake = cpu.raise(source);
        expect(wake.woke).toBe(WAKE_SOURCES[mode].includes(source));
        const back = source === "reset" ? "normal" : "low-power";
        expect(cpu.mode).toBe(wake.woke ? back : mode);
        if (wake.woke && source !== "reset")
          expect(wake.afterMicros).toBe(POWER_MODES.find((facts) => facts.mode === mode)?.wakeMicros);
      }
  });

  it("lose memory in shutdown only: it is left by a pin or a reset, into normal, from the beginning", () => {
    for (const source of SOURCES) {
      const { cpu } = core();
      cpu.enter("ultra-low-power");
      cpu.enter("shutdown");
      const wake = cpu.raise(source);
      expect(wake).toEqual(
        ["pin", "reset"].includes(source)
          ? { woke: true, afterMicros: 100_000, memoryLost: true }
          : { woke: false, afterMicros: 0, memoryLost: false },
      );
      expect(cpu.boots).toBe(wake.woke ? 2 : 1);
    }
  });
});

describe("a wait", () => {
  it("by WFI goes on at once when an interrupt is pending, masked or not (PR1)", () => {
    for (const masked of [false, true]) {
      const { cpu } = core();
      cpu.mask(masked);
      cpu.raise("interrupt");
      expect(cpu.waitForInterrupt()).toBe(false);
      expect(cpu.take()).toBe(masked ? undefined : "interrupt");
    }
  });

  it("by WFI is ended by an interrupt though it is masked, and not by an event (PR1)", () => {
    const { cpu } = core();
    cpu.mask(true);
    expect(cpu.waitForInterrupt()).toBe(true);
    expect(cpu.raise("event").woke).toBe(false);
    expect(cpu.raise("sys-tick").woke).toBe(true);
    expect(cpu.pending).toEqual(["sys-tick"]);
  });

  it("by WFE consumes the event register and goes on; then it waits, and a masked interrupt does not end it (PR2)", () => {
    const { cpu } = core();
    cpu.raise("event");
    expect(cpu.waitForEvent()).toBe(false);
    cpu.mask(true);
    expect(cpu.waitForEvent()).toBe(true);
    expect(cpu.raise("interrupt").woke).toBe(false);
    expect(cpu.raise("event").woke).toBe(true);
    expect(cpu.waitForEvent()).toBe(true);
    expect(cpu.state).toBe("waiting-for-event");
  });

  it("refuses everything a stopped core cannot do", () => {
    const { cpu } = core();
    cpu.enter("sleep");
    for (const call of [
      () => cpu.waitForInterrupt(),
      () => cpu.waitForEvent(),
      () => cpu.take(),
      () => cpu.mask(true),
    ])
      expect(codeOf(call)).toBe("rt.asleep");
    expect(codeOf(() => cpu.raise("noise" as WakeSource))).toBe("rt.bad-option");
  });

  it("does not sleep past an interrupt that is pending, and remembers what is raised while it sleeps (PR1, PR3)", () => {
    const { cpu, told } = core();
    cpu.raise("interrupt");
    expect(cpu.enter("sleep")).toBe(false);
    expect(cpu.enter("standby")).toBe(true);
    expect(cpu.raise("sys-tick").woke).toBe(false);
    expect(cpu.raise("rtc").woke).toBe(true);
    expect([cpu.take(), cpu.take(), cpu.take()]).toEqual(["interrupt", "rtc", undefined]);
    expect(told).toEqual(["standby asleep", "normal running"]);
  });

  it("never leaves a core that runs in a mode that stops, whatever happens in whatever order", () => {
    const act = fc.oneof(
      fc.constantFrom(...SOURCES).map((source) => (cpu: Processor) => void cpu.raise(source)),
      fc.constantFrom(...MODES).map((mode) => (cpu: Processor) => void cpu.enter(mode)),
      fc.constantFrom(
        (cpu: Processor) => void cpu.waitForEvent(),
        (cpu: Processor) => void cpu.waitForInterrupt(),
        (cpu: Processor) => void cpu.take(),
        (cpu: Processor) => cpu.mask(true),
        (cpu: Processor) => cpu.losePower(),
      ),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const { cpu, told } = core();
        for (const run of acts) {
          expect(codeOf(() => run(cpu))).toMatch(/^nothing thrown$|^rt\./);
          const runs = POWER_MODES.find(({ mode }) => mode === cpu.mode)?.runs;
          expect(runs).toBe(!["asleep", "off"].includes(cpu.state));
          if (told.length > 0) expect(told.at(-1)).toBe(`${cpu.mode} ${cpu.state}`);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("SysTick", () => {
  it("gets to 0 every reload + 1 ticks, in one step or in many (ST1, ST3)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.nat(300), { maxLength: 20 }),
        (reload, steps) => {
          const tick = new SysTick();
          tick.start(reload);
          let [total, model, value] = [0, 0, reload];
          for (const step of steps) {
            total += tick.advance(step);
            for (let i = 0; i < step; i++) {
              value = value === 0 ? reload : value - 1;
              if (value === 0) model++;
            }
            expect([total, tick.current]).toEqual([model, value]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("clears its flag when it is read, and counts no more when stopped (ST2)", () => {
    const tick = new SysTick();
    expect(tick.advance(1000)).toBe(0);
    tick.start(9);
    expect(tick.untilZero()).toBe(9);
    tick.advance(9);
    expect([tick.takeCountFlag(), tick.takeCountFlag()]).toEqual([true, false]);
    expect(tick.untilZero()).toBe(10);
    tick.stop();
    expect([tick.advance(100), tick.untilZero()]).toEqual([0, undefined]);
  });

  it("refuses reload values that are not 1 to 2^24-1", () => {
    const tick = new SysTick();
    for (const bad of [0, SYSTICK_RELOAD_MAX + 1, 1.5, Number.NaN])
      expect(codeOf(() => tick.start(bad))).toBe("rt.bad-option");
    expect(codeOf(() => tick.advance(-1))).toBe("rt.bad-option");
    expect(reloadFor(1000, 48_000_000)).toBe(47_999);
    expect(codeOf(() => reloadFor(1_000_000, 48_000_000))).toBe("rt.bad-option");
    expect(codeOf(() => reloadFor(0, 48_000_000))).toBe("rt.bad-option");
  });
});

describe("the mode for a pause", () => {
  it("is deeper the longer the pause, within the latency, the wake sources and the memory that are needed (IC1)", () => {
    const rtc = { sources: ["rtc"] } as const;
    expect([0, 100, 2000, 50_000].map((idleMicros) => modeForPause({ idleMicros, ...rtc }))).toEqual([
      "normal",
      "ultra-low-power",
      "sleep",
      "standby",
    ]);
    expect(modeForPause({ idleMicros: 50_000 })).toBe("sleep");
    expect(modeForPause({ idleMicros: 1e9, latencyMicros: 10, ...rtc })).toBe("ultra-low-power");
    const forever = { idleMicros: Number.POSITIVE_INFINITY };
    expect(modeForPause({ ...forever, sources: ["pin"] })).toBe("standby");
    expect(modeForPause({ ...forever, sources: ["pin"], mayLoseMemory: true })).toBe("shutdown");
    for (const idleMicros of [-1, Number.NaN])
      expect(codeOf(() => modeForPause({ idleMicros }))).toBe("rt.bad-option");
  });
});
