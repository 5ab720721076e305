/**
 * The one true time of a simulation, and timers on it.
 *
 * VT1. Time only moves when it is told to, and never back.
 * VT2. Timers fire in order of their moment; those of one moment in the order they were set. A timer sees the moment it was set for.
 * VT3. A timer set from inside another fires in the same `advanceTo` when its moment is not after the goal.
 */
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import { TimerHeap } from "@glia-os/kernel/timer-wheel";
import { BadOptionError } from "./errors.ts";
import { finite, LIMIT_MAX, TIMERS_MAX } from "./limits.ts";

class Timer {
  timerAt = -1;
  readonly fire: () => void;

  constructor(fire: () => void) {
    this.fire = fire;
  }
}

/** Virtual milliseconds since the start of the run. */
export class VirtualTime implements Timers {
  #nowMs = 0;
  readonly #timers: TimerHeap<Timer> = new TimerHeap<Timer>();

  /** The time now: 0 at the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** When the next timer fires; Infinity without one. */
  get nextMs(): number {
    return this.#timers.next;
  }

  /** Timers that are set. */
  get size(): number {
    return this.#timers.size;
  }

  /** Call `fire` once, `delayMs` (0 or more) from now. O(log timers). @throws {BadOptionError} */
  schedule(delayMs: number, fire: () => void): TimerHandle {
    finite("the delay of a timer", delayMs, 0, LIMIT_MAX);
    if (this.#timers.size >= TIMERS_MAX)
      throw new BadOptionError("the number of timers", TIMERS_MAX + 1, `at most ${TIMERS_MAX}`);
    const timer = new Timer(fire);
    this.#timers.set(timer, this.#nowMs + delayMs);
    return { cancel: () => this.#timers.cancel(timer) };
  }

  /** Let time pass until `ms`, firing what comes due (VT2). @throws {BadOptionError} when that is in the past. */
  advanceTo(ms: number): void {
    finite("the moment to go to", ms, this.#nowMs, Number.MAX_SAFE_INTEGER);
    while (this.#timers.next <= ms) {
      this.#nowMs = this.#timers.next;
      this.#timers.expire(this.#nowMs)?.fire();
    }
    this.#nowMs = ms;
  }
}
