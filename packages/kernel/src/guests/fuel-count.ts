/** Fuel of a guest as a counter of a `Meter` (docs/spec/metrics.md). */
import type { Meter } from "@glia-os/abi/ports";

const NAME = "glia_guest_fuel_total";

/** Counts what one guest uses from a moment on: a guest that was moved here is not counted twice. */
export class FuelCount {
  readonly #meter: Meter | undefined;
  #counted: number | undefined;

  /** `before`: what it had used when it began here; undefined when its first news say it. */
  constructor(meter: Meter | undefined, before: number | undefined) {
    this.#meter = meter;
    this.#counted = before;
  }

  /** It has used so much in its whole life. */
  reached(fuelUsed: number): void {
    const before = this.#counted ?? fuelUsed;
    this.#counted = fuelUsed;
    if (fuelUsed > before) this.#meter?.count(NAME, fuelUsed - before);
  }
}
