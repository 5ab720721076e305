/** A clock that only moves when it is told to. */
import type { Clock } from "@glia-os/abi/ports";
import { BadOptionError } from "../errors.ts";

/** Virtual time, for tests and simulation. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #wallStartMs: number;

  /** Wall time starts at `wallStartMs` (default 0, the Unix epoch). */
  constructor(wallStartMs = 0) {
    this.#wallStartMs = wallStartMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallStartMs + this.#nowMs;
  }

  /** Let time pass: a finite number of milliseconds, 0 or more. @throws {BadOptionError} */
  advance(byMs: number): void {
    if (!(byMs >= 0 && byMs < Number.POSITIVE_INFINITY))
      throw new BadOptionError("virtual time step", byMs, "a finite number, 0 or more");
    this.#nowMs += byMs;
  }

  /** Go to a moment that is not in the past. @throws {BadOptionError} */
  advanceTo(monotonicMs: number): void {
    this.advance(monotonicMs - this.#nowMs);
  }
}
