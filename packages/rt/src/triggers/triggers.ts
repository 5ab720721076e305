/**
 * When a machine should give work away: its battery runs low, it gets hot, or it has had too much to do for a while.
 *
 * TG1. The battery is low below 20 % when it is not being charged (the seed's `should_migrate`). It is low no longer from 25 % on, or once
 *      it has been charged for 30 s without a break; a charger that comes and goes clears nothing.
 * TG2. Warm from 70 and hot from 85 degrees Celsius, each until 5 degrees less.
 * TG3. Overloaded when the processor is at 85 %, the memory at 90 % or 100 messages wait, for 30 s; until 10 points less (80 messages).
 * TG4. Readings decide, at the times they are given; nothing here reads a clock.
 */
import type { BatteryReading } from "@glia-os/abi/ports";
import { BadReadingError } from "../errors.ts";
import { finite } from "../limits.ts";
import type { Readings } from "./readings.ts";
import { Threshold } from "./threshold.ts";

/** A reason to give work away. */
export type Trigger = "battery-low" | "warm" | "hot" | "cpu-load" | "memory-load" | "queue-depth";

/** Limits other than the usual ones. */
export interface TriggersOptions {
  /** Percent below which the battery is low: 0 to 100; default 20. It clears 5 points higher. */
  readonly batteryLowPercent?: number;
  /** Time of charging that clears it, in milliseconds; default 30,000. */
  readonly chargingForMs?: number;
  /** Default 70 and 85. */
  readonly warmCelsius?: number;
  readonly hotCelsius?: number;
  /** Shares from 0 to 1; default 0.85 and 0.9. */
  readonly cpuLoad?: number;
  readonly memoryLoad?: number;
  /** Default 100. */
  readonly queueDepth?: number;
  /** How long a load has to last, in milliseconds; default 30,000. */
  readonly loadForMs?: number;
}

/** What changed by a reading. */
export interface TriggerChange {
  readonly raised: readonly Trigger[];
  readonly cleared: readonly Trigger[];
}

const SECONDS_30 = 30_000;

/** Which triggers are raised. */
export class Triggers {
  readonly #battery: Threshold;
  readonly #others: readonly (readonly [Trigger, Threshold, (readings: Readings) => number | undefined])[];
  readonly #clearPercent: number;
  readonly #chargingForMs: number;
  #chargingSince: number | undefined;
  readonly #raised = new Set<Trigger>();

  /** @throws {BadOptionError} */
  constructor(options: TriggersOptions = {}) {
    const low = finite("batteryLowPercent", options.batteryLowPercent ?? 20, 0, 100);
    this.#clearPercent = Math.min(100, low + 5);
    this.#chargingForMs = finite(
      "chargingForMs",
      options.chargingForMs ?? SECONDS_30,
      0,
      Number.MAX_SAFE_INTEGER,
    );
    this.#battery = new Threshold({
      what: "the battery in percent",
      when: "below",
      at: low,
      clearAt: this.#clearPercent,
      least: 0,
      most: 100,
    });
    const forMs = options.loadForMs ?? SECONDS_30;
    const heat = (at: number): Threshold =>
      new Threshold({
        what: "the temperature in Celsius",
        when: "above",
        at,
        clearAt: at - 5,
        least: -273,
        most: 1000,
      });
    const load = (what: string, at: number, most = 1): Threshold =>
      new Threshold({
        what,
        when: "above",
        at,
        clearAt: most === 1 ? Math.max(0, at - 0.1) : 0.8 * at,
        forMs,
        least: 0,
        most,
      });
    this.#others = [
      ["warm", heat(options.warmCelsius ?? 70), (readings) => readings.temperatureCelsius],
      ["hot", heat(options.hotCelsius ?? 85), (readings) => readings.temperatureCelsius],
      [
        "cpu-load",
        load("the load of the processor", options.cpuLoad ?? 0.85),
        (readings) => readings.cpuLoad,
      ],
      [
        "memory-load",
        load("the load of the memory", options.memoryLoad ?? 0.9),
        (readings) => readings.memoryLoad,
      ],
      [
        "queue-depth",
        load("the depth of the queue", options.queueDepth ?? 100, Number.MAX_SAFE_INTEGER),
        (readings) => readings.queueDepth,
      ],
    ];
  }

  /** The triggers that are raised. */
  get raised(): ReadonlySet<Trigger> {
    return this.#raised;
  }

  /** Readings at a monotonic time in milliseconds, no earlier than the last. @throws {BadReadingError} for one no sensor can give */
  observe(readings: Readings, nowMs: number): TriggerChange {
    const change = { raised: [] as Trigger[], cleared: [] as Trigger[] };
    const note = (trigger: Trigger, is: boolean): void => {
      if (is === this.#raised.has(trigger)) return;
      (is ? change.raised : change.cleared).push(trigger);
      if (is) this.#raised.add(trigger);
      else this.#raised.delete(trigger);
    };
    note("battery-low", this.#batteryLow(readings.battery, nowMs));
    for (const [trigger, threshold, of] of this.#others)
      note(trigger, threshold.observe(of(readings), nowMs));
    return change;
  }

  #batteryLow(battery: BatteryReading | undefined, nowMs: number): boolean {
    if (battery === undefined) return this.#battery.observe(undefined, nowMs);
    const { percent, charging } = battery;
    if (!(percent >= 0 && percent <= 100))
      throw new BadReadingError("the battery in percent", percent, "from 0 to 100");
    if (typeof charging !== "boolean") throw new BadReadingError("charging", charging, "true or false");
    if (!charging) {
      this.#chargingSince = undefined;
      return this.#battery.observe(percent, nowMs);
    }
    this.#chargingSince ??= nowMs;
    const charged = nowMs - this.#chargingSince >= this.#chargingForMs;
    // While it charges, a low battery is no reason to begin, only one to go on.
    if (charged || percent >= this.#clearPercent) this.#battery.clear();
    return this.#battery.raised;
  }
}
