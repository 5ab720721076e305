/**
 * The real timers, on `setTimeout`.
 *
 * T1. A timer fires once, and never before its delay has passed on the monotonic clock. `setTimeout` drops fractions of a
 *     millisecond and may fire up to one early; a timer that wakes early is set again for the rest.
 * T2. Delays beyond 2^31 - 1 ms (24.8 days), which `setTimeout` turns into 1 ms, are slept in pieces.
 * T3. `pending` counts the timers that neither fired nor were cancelled, and never exceeds the limit.
 * T4. With `keepAlive` (the default) a pending timer keeps the process running, as `setTimeout` does. A daemon whose sockets
 *     keep it running takes `keepAlive: false`; `cancelAll` at shutdown lets the process end either way.
 */
import type { Clock, TimerHandle, Timers } from "@glia-os/abi/ports";
import { BadDelayError, TooManyTimersError } from "./errors.ts";
import { createSystemClock } from "./system-clock.ts";

/** Most pending timers unless another limit is given. At about 200 bytes each, 200 MB. */
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
  /** Call `fire` once, no earlier than `delayMs` from now. @throws `hal.bad-delay`, `hal.too-many-timers`. */
  schedule(delayMs: number, fire: () => void): TimerHandle;
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

class HostTimers implements SystemTimers {
  readonly #clock: Clock;
  readonly #timeouts: TimeoutFunctions;
  readonly #maxPending: number;
  readonly #pending = new Set<HostTimer>();

  constructor(options: SystemTimersOptions) {
    this.#clock = options.clock ?? createSystemClock();
    this.#timeouts = options.timeouts ?? hostTimeouts(options.keepAlive ?? true);
    this.#maxPending = Math.max(1, options.maxPending ?? MAX_PENDING_TIMERS);
  }

  get pending(): number {
    return this.#pending.size;
  }

  schedule(delayMs: number, fire: () => void): TimerHandle {
    if (!(delayMs >= 0 && delayMs < Number.POSITIVE_INFINITY)) throw new BadDelayError(delayMs);
    if (this.#pending.size >= this.#maxPending) throw new TooManyTimersError(this.#maxPending);
    const timer = new HostTimer(this.#clock, this.#timeouts, this.#pending, delayMs, fire);
    this.#pending.add(timer);
    timer.arm();
    return timer;
  }

  cancelAll(): number {
    const timers = [...this.#pending];
    for (const timer of timers) timer.cancel();
    return timers.length;
  }
}

/** One pending timer. It is in the `pending` set exactly as long as it may still fire (T3). */
class HostTimer implements TimerHandle {
  readonly #clock: Clock;
  readonly #timeouts: TimeoutFunctions;
  readonly #pending: Set<HostTimer>;
  readonly #deadlineMs: number;
  readonly #fire: () => void;
  #timeout: unknown;

  constructor(
    clock: Clock,
    timeouts: TimeoutFunctions,
    pending: Set<HostTimer>,
    delayMs: number,
    fire: () => void,
  ) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#pending = pending;
    this.#deadlineMs = clock.monotonicMs() + delayMs;
    this.#fire = fire;
  }

  arm(): void {
    const remainingMs = Math.ceil(this.#deadlineMs - this.#clock.monotonicMs());
    const sleepMs = Math.min(Math.max(remainingMs, 0), LONGEST_TIMEOUT_MS);
    this.#timeout = this.#timeouts.set(() => this.#wake(), sleepMs);
  }

  cancel(): void {
    if (this.#pending.delete(this)) this.#timeouts.clear(this.#timeout);
  }

  #wake(): void {
    if (!this.#pending.has(this)) return;
    if (this.#clock.monotonicMs() < this.#deadlineMs) {
      this.arm();
      return;
    }
    this.#pending.delete(this);
    this.#fire();
  }
}

/** Timers on the host's event loop. Setting and cancelling cost O(1). */
export function createSystemTimers(options: SystemTimersOptions = {}): SystemTimers {
  return new HostTimers(options);
}
