/**
 * The real timers, on `setTimeout`.
 *
 * T1. A timer fires once, and never before its delay has passed on the monotonic clock. `setTimeout` drops
 *     fractions of a millisecond and may fire up to one early; a timer that wakes early is set again for the
 *     rest.
 * T2. Delays beyond 2^31 - 1 ms (24.8 days), which `setTimeout` turns into 1 ms, are slept in pieces.
 * T3. `pending` counts the timers that neither fired nor were cancelled, and never exceeds the limit.
 * T4. With `keepAlive` (the default) a pending timer keeps the process running, as `setTimeout` does. A
 *     daemon whose sockets keep it running takes `keepAlive: false`; `cancelAll` at shutdown lets the process
 *     end either way.
 * T5. A timer with a tolerance shares wake-ups with others (shared-wakes.ts); T1 does not hold for it.
 */
import { randomInt } from "node:crypto";
import type { Clock, TimerHandle, TimerOptions, Timers } from "@glia-os/abi/ports";
import { BadDelayError, TooManyTimersError } from "./errors.ts";
import { gridFor, SharedWakes } from "./shared-wakes.ts";
import { createSystemClock } from "./system-clock.ts";

/** Most pending timers unless another limit is given. At some 450 bytes each (measured on Node 26), 450 MB. */
export const MAX_PENDING_TIMERS = 1_000_000;

/** The longest delay `setTimeout` takes: 2^31 - 1 ms. */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff;

/** The two host functions the timers stand on; the default is the global ones. */
export interface TimeoutFunctions {
  readonly set: (fire: () => void, delayMs: number) => unknown;
  readonly clear: (timeout: unknown) => void;
}

/** How to make timers. */
export interface SystemTimersOptions {
  /** Whether a pending timer keeps the process running (T4). Default true. */
  readonly keepAlive?: boolean;
  /** Most pending timers (T3), 1 or more. Default {@link MAX_PENDING_TIMERS}. */
  readonly maxPending?: number;
  /** The clock deadlines are checked against (T1). Default: the system clock. */
  readonly clock?: Clock;
  /** The host's timeout functions. Default: `setTimeout` and `clearTimeout`. */
  readonly timeouts?: TimeoutFunctions;
}

/** Timers that can be counted and dropped together. */
export interface SystemTimers extends Timers {
  /** Call `fire` once, no earlier than `delayMs` from now, or about then (T5). @throws `hal.bad-delay`, `hal.too-many-timers`. */
  schedule(delayMs: number, fire: () => void, options?: TimerOptions): TimerHandle;
  /** Timers that neither fired nor were cancelled. */
  readonly pending: number;
  /** Cancel every pending timer; returns how many there were. */
  cancelAll(): number;
}

/** The global functions; a timeout that must not keep the process running is unreferenced. */
function hostTimeouts(keepAlive: boolean): TimeoutFunctions {
  return {
    set: (fire, delayMs) => {
      const timeout = setTimeout(fire, delayMs);
      return keepAlive ? timeout : timeout.unref();
    },
    clear: (timeout) => clearTimeout(timeout as NodeJS.Timeout),
  };
}

/** What timers share. */
interface TimerLoop {
  readonly clock: Clock;
  readonly timeouts: TimeoutFunctions;
  /** The timers that may still fire (T3). */
  readonly pending: Set<TimerHandle>;
}

class HostTimers implements SystemTimers {
  readonly #loop: TimerLoop;
  readonly #shared: SharedWakes;
  readonly #maxPending: number;

  constructor(options: SystemTimersOptions) {
    this.#loop = {
      clock: options.clock ?? createSystemClock(),
      timeouts: options.timeouts ?? hostTimeouts(options.keepAlive ?? true),
      pending: new Set(),
    };
    const { clock, timeouts } = this.#loop;
    this.#shared = new SharedWakes({ nowMs: () => clock.monotonicMs(), ...timeouts }, randomInt(1000));
    // `||` because a limit of NaN would be none at all.
    this.#maxPending = Math.max(1, (options.maxPending ?? MAX_PENDING_TIMERS) || 1);
  }

  get pending(): number {
    return this.#loop.pending.size;
  }

  schedule(delayMs: number, fire: () => void, { toleranceMs = 0 }: TimerOptions = {}): TimerHandle {
    if (!(delayMs >= 0 && delayMs < Number.POSITIVE_INFINITY)) throw new BadDelayError(delayMs);
    if (this.#loop.pending.size >= this.#maxPending) throw new TooManyTimersError(this.#maxPending);
    const gridMs = toleranceMs === 0 ? 0 : gridFor(delayMs, toleranceMs);
    if (gridMs !== 0) return this.#share(delayMs, gridMs, fire);
    const timer = new HostTimer(this.#loop, delayMs, fire);
    this.#loop.pending.add(timer);
    timer.arm();
    return timer;
  }

  /** (T5) */
  #share(delayMs: number, gridMs: number, fire: () => void): TimerHandle {
    const { pending } = this.#loop;
    const takeBack = this.#shared.add(delayMs, gridMs, () => {
      pending.delete(timer);
      fire();
    });
    const timer = {
      cancel: () => {
        if (pending.delete(timer)) takeBack();
      },
    };
    pending.add(timer);
    return timer;
  }

  cancelAll(): number {
    const timers = [...this.#loop.pending];
    for (const timer of timers) timer.cancel();
    return timers.length;
  }
}

/** One pending timer. It is in the `pending` set exactly as long as it may still fire (T3). */
class HostTimer implements TimerHandle {
  readonly #loop: TimerLoop;
  readonly #deadlineMs: number;
  readonly #fire: () => void;
  #timeout: unknown;

  constructor(loop: TimerLoop, delayMs: number, fire: () => void) {
    this.#loop = loop;
    this.#deadlineMs = loop.clock.monotonicMs() + delayMs;
    this.#fire = fire;
  }

  arm(): void {
    const remainingMs = Math.ceil(this.#deadlineMs - this.#loop.clock.monotonicMs());
    const sleepMs = Math.min(Math.max(remainingMs, 0), LONGEST_TIMEOUT_MS);
    this.#timeout = this.#loop.timeouts.set(() => this.#wake(), sleepMs);
  }

  cancel(): void {
    if (this.#loop.pending.delete(this)) this.#loop.timeouts.clear(this.#timeout);
  }

  #wake(): void {
    if (!this.#loop.pending.has(this)) return;
    if (this.#loop.clock.monotonicMs() < this.#deadlineMs) {
      this.arm();
      return;
    }
    this.#loop.pending.delete(this);
    this.#fire();
  }
}

/** Timers on the host's event loop. Setting and cancelling cost O(1). */
export function createSystemTimers(options: SystemTimersOptions = {}): SystemTimers {
  return new HostTimers(options);
}
