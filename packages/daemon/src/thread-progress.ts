/**
 * Tells the mesh thread whether the agents' thread gets on.
 *
 * TP1. The mesh thread asks in shared memory and the agents' thread answers from its event loop: a kernel, or a guest, that holds the loop
 *      leaves the question open. A thread at rest wakes for questions only, and asking costs the asker no wake-up of its own.
 * TP2. The watch goes by its own looks, not by a clock: a process that was stopped as a whole and goes on has not stalled.
 * TP3. `stalled` and `back` alternate, starting with `stalled`.
 * TP4. While nothing lives on the agents' thread only each fifth look asks, so that a node at rest wakes it less than once a second.
 */
import type { TimerHandle, Timers } from "@glia-os/abi/ports";

/** Between two looks, in milliseconds. */
export const LOOK_EVERY_MS = 1000;
/** Looks in a row that find the last question open, and make a stall: two seconds. */
export const LOOKS = 2;
/** Looks from one question to the next while nothing lives on the thread (TP4). */
export const LOOKS_AT_REST = 5;
/** The number of the newest question; no thread has answered 0. */
const ASKED = 0;
/** The number of the newest question that was answered: 0 while the thread starts. */
const ANSWERED = 1;

/** Where one thread asks and another answers. */
export function createProgress(): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(8);
  new Int32Array(shared)[ASKED] = 1;
  return shared;
}

/** Answer until the thread ends (TP1). */
export function answerProgress(shared: SharedArrayBuffer): void {
  const words = new Int32Array(shared);
  const answer = (): void => {
    for (;;) {
      const asked = Atomics.load(words, ASKED);
      Atomics.store(words, ANSWERED, asked);
      const next = Atomics.waitAsync(words, ASKED, asked);
      if (!next.async) continue;
      void next.value.then(answer);
      return;
    }
  };
  answer();
}

/** What the watch needs. */
export interface ProgressWatchParts {
  readonly shared: SharedArrayBuffer;
  readonly timers: Timers;
  readonly stalled: () => void;
  readonly back: () => void;
  /** Whether nothing lives on the thread that is asked (TP4). */
  readonly atRest: () => boolean;
}

/** Asks, and looks for answers, until it is stopped (TP2, TP3). */
export class ProgressWatch {
  readonly #parts: ProgressWatchParts;
  readonly #words: Int32Array;
  #timer: TimerHandle | undefined;
  #still = 0;
  /** Looks since the last question. */
  #unasked = LOOKS_AT_REST;
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
    const answered = Atomics.load(this.#words, ANSWERED);
    // Before its first answer the thread is starting, not stalled.
    const moved = answered === 0 || answered === Atomics.load(this.#words, ASKED);
    const wasStalled = this.#still >= LOOKS;
    this.#still = moved ? 0 : this.#still + 1;
    if (moved && wasStalled) this.#parts.back();
    if (this.#still === LOOKS) this.#parts.stalled();
    this.#unasked++;
    if (moved && (this.#unasked >= LOOKS_AT_REST || !this.#parts.atRest())) this.#ask();
    const { timers } = this.#parts;
    if (!this.#stopped)
      this.#timer = timers.schedule(LOOK_EVERY_MS, () => this.#look(), { toleranceMs: LOOK_EVERY_MS / 2 });
  }

  #ask(): void {
    this.#unasked = 0;
    Atomics.add(this.#words, ASKED, 1);
    Atomics.notify(this.#words, ASKED);
  }
}
