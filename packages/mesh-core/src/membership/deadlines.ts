/**
 * Deadlines that are judged only after what has arrived was read.
 *
 * After a stall Node runs expired timers before it reads sockets (measured on Node 20; the order is not documented), so a detector
 * that judges in the timer accuses members whose answers lie unread.
 *
 * DL1. Between a deadline and its judgement the event loop reads its sockets: once, and {@link LATE_DRAINS} times after a stall.
 * DL2. A judgement is told when it is late by more than the tolerance: then the fault was this node's own.
 */
import type { Clock, TimerHandle, Timers } from "@glia-os/abi/ports";

/** Rounds of the event loop before a late deadline is judged: one round reads a bounded part of what waits. */
export const LATE_DRAINS = 3;

/** What deadlines need. */
export interface DeadlineOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** A deadline that fires later than this, in milliseconds, is late. */
  readonly toleranceMs: number;
  /** A deadline was late: this node stalled. */
  late(): void;
}

/** Sets deadlines. */
export class Deadlines {
  readonly #o: DeadlineOptions;

  constructor(options: DeadlineOptions) {
    this.#o = options;
  }

  /** Judge after `delayMs`, once (DL1). */
  set(delayMs: number, judge: (late: boolean) => void): TimerHandle {
    const { clock, timers, toleranceMs, late } = this.#o;
    const dueMs = clock.monotonicMs() + delayMs;
    let inner = timers.schedule(delayMs, () => {
      const isLate = clock.monotonicMs() - dueMs > toleranceMs;
      if (isLate) late();
      drain(isLate ? LATE_DRAINS : 1, isLate);
    });
    const drain = (rounds: number, isLate: boolean): void => {
      inner = timers.schedule(0, () => (rounds > 1 ? drain(rounds - 1, isLate) : judge(isLate)));
    };
    return { cancel: () => inner.cancel() };
  }
}
