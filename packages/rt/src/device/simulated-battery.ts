/**
 * A battery that is drained by power over time, along its discharge curve.
 *
 * SB1. What is taken is charge: a device that needs constant power takes more current as the voltage falls, so the end comes faster.
 * SB2. Charge is never below 0 or above what the battery holds.
 */
import type { BatteryReading } from "@glia-os/abi/ports";
import { finite } from "../limits.ts";
import { checkedCurve, type DischargeCurve, LITHIUM_ION, voltsAt } from "./discharge-curve.ts";

/** The form of a battery. */
export interface SimulatedBatteryOptions {
  /** What it holds when full, in milliampere hours: more than 0. */
  readonly capacityMilliampHours: number;
  /** Charge at the beginning: 0 to 100; default 100. */
  readonly percent?: number;
  /** Default: {@link LITHIUM_ION}. */
  readonly curve?: DischargeCurve;
}

/** Microseconds in an hour: charge is counted in milliampere hours. */
const HOUR_MICROS = 3.6e9;
/** The most charge that is taken at one voltage, in percent: the curve is followed in steps of this. */
const STEP_PERCENT = 0.25;

/** A battery. */
export class SimulatedBattery {
  readonly #capacity: number;
  readonly #curve: DischargeCurve;
  #percent: number;
  /** Whether a charger is there. It adds charge by `charge`. */
  charging = false;

  /** @throws {BadOptionError} */
  constructor(options: SimulatedBatteryOptions) {
    this.#capacity = finite("capacityMilliampHours", options.capacityMilliampHours, 1e-9, 1e12);
    this.#percent = finite("percent", options.percent ?? 100, 0, 100);
    this.#curve = checkedCurve(options.curve ?? LITHIUM_ION);
  }

  /** Charge, exactly. */
  get percent(): number {
    return this.#percent;
  }

  /** Volts at its present charge. */
  get volts(): number {
    return voltsAt(this.#curve, this.#percent);
  }

  /** What a gauge on the device says: whole percent. */
  reading(): BatteryReading {
    return { percent: Math.ceil(this.#percent), charging: this.charging };
  }

  /** Take power for a time. Returns how long it lasted: less than `micros` when the battery is empty now. @throws {BadOptionError} */
  drain(milliwatts: number, micros: number): number {
    finite("milliwatts", milliwatts, 0, 1e9);
    finite("micros", micros, 0, Number.MAX_SAFE_INTEGER);
    if (milliwatts === 0) return micros;
    let left = micros;
    while (left > 0 && this.#percent > 0) {
      const perMicro = ((milliwatts / this.volts / this.#capacity) * 100) / HOUR_MICROS;
      const most = Math.min(STEP_PERCENT, this.#percent);
      const lasts = most / perMicro;
      if (lasts > left) {
        this.#percent -= left * perMicro;
        return micros;
      }
      this.#percent -= most;
      left -= lasts;
    }
    return micros - left;
  }

  /** Add charge in milliampere hours. @throws {BadOptionError} */
  charge(milliampHours: number): void {
    finite("milliampHours", milliampHours, 0, 1e12);
    this.#percent = Math.min(100, this.#percent + (100 * milliampHours) / this.#capacity);
  }
}
