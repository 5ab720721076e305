/**
 * Tells the mesh thread whether the agents' thread gets on.
 *
 * TP1. The agents' thread counts in shared memory from a timer of its event loop: a kernel, or a guest, that holds the loop stops the count.
 * TP2. The watch goes by its own looks, not by a clock: a process that was stopped as a whole and goes on has not stalled.
 * TP3. `stalled` and `back` alternate, starting with `stalled`.
 */
import type { TimerHandle, Timers } from "@glia-os/abi/ports";

/** Between two counts, in milliseconds. Each wakes an idle node, so there are no more than two looks need. */
export const COUNT_EVERY_MS = 500;
/** Between two looks, in milliseconds. */
export const LOOK_EVERY_MS = 1000;
/** Looks without progress that make a stall: two seconds. */
export const LOOKS = 2;

/** A counter in shared memory. */
export function createProgress(): SharedArrayBuffer {
  return new SharedArrayBuffer(4);
}

/** Count until the thread ends (TP1). */
export function countProgress(shared: SharedArrayBuffer, timers: Timers): void {
  const words = new Int32Array(shared);
  const count = (): void => {
    Atomics.add(words, 0, 1);
    timers.schedule(COUNT_EVERY_MS, count);
  };
  count();
}

/** What the watch needs. */
export interface ProgressWatchParts {
  readonly shared: SharedArrayBuffer;
  readonly timers: Timers;
  readonly stalled: () => void;
  readonly back: () => void;
}

/** Looks at the counter until it is stopped (TP2, TP3). */
export class ProgressWatch {
  readonly #parts: ProgressWatchParts;
  readonly #words: Int32Array;
  #timer: TimerHandle | undefined;
  #seen = -1;
  #still = 0;
  #stopped = false;

  constructor(parts: ProgressWatchParts) {
    this.#parts = parts;
    this.#words = new Int32Array(parts.shared);
    this.#look();
  }

  /** Stop looking. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #look(): void {
    const now = Atomics.load(this.#words, 0);
    // Before its first count the thread is starting, not stalled.
    const moved = now !== this.#seen || now === 0;
    const wasStalled = this.#still >= LOOKS;
    this.#seen = now;
    this.#still = moved ? 0 : this.#still + 1;
    if (moved && wasStalled) this.#parts.back();
    if (this.#still === LOOKS) this.#parts.stalled();
    if (!this.#stopped) this.#timer = this.#parts.timers.schedule(LOOK_EVERY_MS, () => this.#look());
  }
}
