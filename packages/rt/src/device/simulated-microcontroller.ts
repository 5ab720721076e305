/**
 * A microcontroller that exists in virtual time: a core with the six power modes, SysTick, memory, and a battery that each mode drains. For tests
 * and simulations; its figures are the table of modes and the options given, not a device that was measured.
 *
 * MC1. Energy is power times time in every mode, plus what radio and sensors were said to take. Waking takes its time at full power.
 * MC2. Memory is what it was in every mode but `shutdown`, after which a new program gets memory of zeros and the old view is refused.
 * MC3. An empty battery ends everything at that moment: the device is off, whatever it was doing.
 * MC4. Same calls, same state: nothing here reads a clock or draws a random number.
 */
import type { BatteryReading } from "@glia-os/abi/ports";
import { MemoryLostError } from "../errors.ts";
import { finite, POOL_BYTES_MAX, whole } from "../limits.ts";
import { POWER_MODES, type PowerMode, type PowerModeFacts } from "../power/power-mode.ts";
import { Processor, type ProcessorState, type Wake } from "../power/processor.ts";
import { SysTick } from "../power/sys-tick.ts";
import type { WakeSource } from "../power/wake-source.ts";
import { SimulatedBattery, type SimulatedBatteryOptions } from "./simulated-battery.ts";

/** The form of a microcontroller. */
export interface SimulatedMicrocontrollerOptions {
  /** Power in mode `normal`, in milliwatts; default 150, the seed's balanced operating point. */
  readonly fullMilliwatts?: number;
  /** Bytes of memory: 1 to 2^30; default 256 KiB. */
  readonly memoryBytes?: number;
  /** Clock of SysTick in hertz; default 1,000,000. */
  readonly sysTickHertz?: number;
  readonly battery: SimulatedBatteryOptions;
}

/** Energy by what took it, in millijoules. */
export interface EnergyAccount {
  readonly totalMillijoules: number;
  readonly byMode: Readonly<Record<PowerMode, number>>;
  /** What `spend` was told, by name. */
  readonly byUse: Readonly<Record<string, number>>;
  /** Waking, at full power. */
  readonly wakingMillijoules: number;
}

/** A simulated microcontroller. */
export class SimulatedMicrocontroller {
  readonly processor: Processor;
  readonly sysTick: SysTick = new SysTick();
  readonly battery: SimulatedBattery;
  readonly #fullMilliwatts: number;
  readonly #hertz: number;
  readonly #byMode: Record<PowerMode, number>;
  readonly #byUse: Record<string, number> = {};
  #waking = 0;
  #facts: PowerModeFacts = POWER_MODES[0] as PowerModeFacts;
  #state: ProcessorState = "running";
  #nowMicros = 0;
  /** The part of a tick that has passed. */
  #ticks = 0;
  #memory: ArrayBuffer;
  #memoryOf = 1;

  /** @throws {BadOptionError} */
  constructor(options: SimulatedMicrocontrollerOptions) {
    this.#fullMilliwatts = finite("fullMilliwatts", options.fullMilliwatts ?? 150, 0, 1e9);
    this.#hertz = finite("sysTickHertz", options.sysTickHertz ?? 1_000_000, 1, 1e9);
    this.battery = new SimulatedBattery(options.battery);
    this.#memory = new ArrayBuffer(
      whole("memoryBytes", options.memoryBytes ?? 256 * 1024, 1, POOL_BYTES_MAX),
    );
    this.#byMode = Object.fromEntries(POWER_MODES.map(({ mode }) => [mode, 0])) as Record<PowerMode, number>;
    this.processor = new Processor({
      apply: (facts, state) => {
        this.#facts = facts;
        this.#state = state;
      },
    });
  }

  /** Virtual time since the device was made, in microseconds. */
  get nowMicros(): number {
    return this.#nowMicros;
  }

  /** Whether it has power. */
  get alive(): boolean {
    return this.battery.percent > 0;
  }

  /** What a program put there. A program that kept `boot` from an earlier start is refused (MC2). @throws {MemoryLostError} */
  memory(boot: number = this.processor.boots): ArrayBuffer {
    const { boots } = this.processor;
    if (this.#state === "off" || boot !== boots) throw new MemoryLostError();
    if (this.#memoryOf !== boots) {
      this.#memory = new ArrayBuffer(this.#memory.byteLength);
      this.#memoryOf = boots;
    }
    return this.#memory;
  }

  /** What the gauge says. */
  batteryReading(): BatteryReading {
    return this.battery.reading();
  }

  /**
   * Let time pass. SysTick raises its interrupt where the mode lets it (it counts in modes that run and in `sleep`); the time that waking takes
   * passes too. Returns what woke the core, if anything did.
   * @throws {BadOptionError}
   */
  advance(micros: number): Wake | undefined {
    finite("micros", micros, 0, Number.MAX_SAFE_INTEGER);
    let [left, woke] = [micros, undefined as Wake | undefined];
    while (left > 0 && this.alive) {
      const next = this.#untilTick();
      const step = Math.min(left, next ?? left);
      this.#pass(step);
      left -= step;
      if (this.#countTicks(step)) woke = this.raise("sys-tick") ?? woke;
    }
    this.#nowMicros += left;
    return woke;
  }

  /** Something happens at the device. Undefined when the core goes on as before. */
  raise(source: WakeSource): Wake | undefined {
    if (!this.alive) return undefined;
    const wake = this.processor.raise(source);
    if (!wake.woke) return undefined;
    this.#waking += this.#take(this.#fullMilliwatts, wake.afterMicros);
    return wake;
  }

  /** A use of energy that is not the core's: a radio that sends, a sensor that measures. @throws {BadOptionError} */
  spend(use: string, milliwatts: number, micros: number): void {
    const lasted = this.battery.drain(milliwatts, finite("micros", micros, 0, Number.MAX_SAFE_INTEGER));
    this.#byUse[use] = (this.#byUse[use] ?? 0) + (milliwatts * lasted) / 1e6;
    this.#dieIfEmpty();
  }

  /** Where the energy went. */
  energy(): EnergyAccount {
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const total = sum(Object.values(this.#byMode)) + sum(Object.values(this.#byUse)) + this.#waking;
    return {
      totalMillijoules: total,
      byMode: { ...this.#byMode },
      byUse: { ...this.#byUse },
      wakingMillijoules: this.#waking,
    };
  }

  /** Whether SysTick's clock runs in the present mode. */
  #ticking(): boolean {
    return this.sysTick.enabled && this.#state !== "off" && this.#facts.mode !== "standby";
  }

  #untilTick(): number | undefined {
    const ticks = this.#ticking() ? this.sysTick.untilZero() : undefined;
    return ticks === undefined ? undefined : ((ticks - this.#ticks) * 1_000_000) / this.#hertz;
  }

  /** Whether SysTick got to 0. Fractions of ticks are kept. */
  #countTicks(micros: number): boolean {
    if (!this.#ticking()) return false;
    const passed = this.#ticks + (micros * this.#hertz) / 1_000_000;
    // A millionth of a tick is a rounding error, not time.
    const ticks = Math.floor(passed + 1e-6);
    this.#ticks = Math.max(0, passed - ticks);
    return this.sysTick.advance(ticks) > 0;
  }

  #pass(micros: number): void {
    const { mode, powerPercent, runs } = this.#facts;
    // A core that waits in a mode that runs has its clock gated, as in sleep.
    const waits = runs && this.#state !== "running";
    const percent = waits ? Math.min(powerPercent, 5) : powerPercent;
    this.#byMode[mode] += this.#take((this.#fullMilliwatts * percent) / 100, micros);
  }

  /** Drain, and let that time pass. Returns the energy in millijoules. */
  #take(milliwatts: number, micros: number): number {
    const lasted = this.battery.drain(milliwatts, micros);
    this.#nowMicros += micros;
    this.#dieIfEmpty();
    return (milliwatts * lasted) / 1e6;
  }

  #dieIfEmpty(): void {
    if (!this.alive) this.processor.losePower();
  }
}
