/**
 * How the main thread hears of what workers finished: it looks, for a moment or once per turn of the loop, while results keep coming, and
 * has itself woken when they do not.
 *
 * L1. Whenever this thread does not look by itself, LISTENING is 1 and a wait on the doorbell is pending; who takes LISTENING away rings.
 *     After it is set everything is looked at once more, so nothing is missed in between.
 * L2. Looking blocks the loop for at most `longestMs` at a time and `TURN_MS` per turn of the loop: timers and sockets get their turn.
 */
import { DOORBELL, LISTENING } from "./job-memory.ts";
import { pause, SpinCredit } from "./spin-credit.ts";

/** Longest time one turn of the loop is spent looking, in milliseconds (L2). */
const TURN_MS = 1;
/** Looks between two readings of the clock. */
const LOOKS = 16;

/** The listener of one engine. */
export class ResultListener {
  readonly #words: Int32Array;
  /** Takes what is finished; gives how much that was. */
  readonly #drain: () => number;
  /** Whether results are to come. */
  readonly #open: () => boolean;
  readonly #credit: SpinCredit;
  #waiting = false;
  #turnDue = false;
  #turnEnd = 0;
  #closed = false;

  constructor(words: Int32Array, drain: () => number, open: () => boolean, spinMs: number) {
    this.#words = words;
    this.#drain = drain;
    this.#open = open;
    this.#credit = new SpinCredit(spinMs);
  }

  /** Jobs were queued, and results are awaited from now on. */
  expect(): void {
    if (this.#closed) return;
    if (this.#turnDue) {
      if (performance.now() < this.#turnEnd && this.#credit.allowed()) this.#look();
      return;
    }
    if (!this.#credit.allowed()) {
      this.listen();
      return;
    }
    // The microtasks that run until the next turn may call this again: they share one allowance.
    this.#turnEnd = performance.now() + TURN_MS;
    this.#turnLater();
    this.#look();
  }

  /** Be woken by the next result (L1). */
  listen(): void {
    while (!this.#closed) {
      const rung = Atomics.load(this.#words, DOORBELL);
      Atomics.store(this.#words, LISTENING, 1);
      if (this.#drain() > 0 && this.#open()) {
        this.#turnLater();
        return;
      }
      if (this.#waiting) return;
      const wait = Atomics.waitAsync(this.#words, DOORBELL, rung);
      if (!wait.async) continue;
      this.#waiting = true;
      void wait.value.then(() => this.#rung());
      return;
    }
  }

  /** No more results: ends the pending wait. */
  close(): void {
    this.#closed = true;
    Atomics.notify(this.#words, DOORBELL);
  }

  #rung(): void {
    this.#waiting = false;
    if (this.#closed) return;
    this.#drain();
    this.#turnLater();
  }

  #turnLater(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    Atomics.store(this.#words, LISTENING, 0);
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turnDue = false;
    if (this.#closed) return;
    this.#turnEnd = performance.now() + TURN_MS;
    const found = this.#drain() > 0;
    if (found && this.#open()) this.#turnLater();
    else if (!found && this.#open() && this.#credit.allowed() && this.#look()) this.#turnLater();
    else this.listen();
  }

  /** Look until something is there, for a moment. */
  #look(): boolean {
    const end = performance.now() + this.#credit.longestMs;
    do {
      for (let i = 0; i < LOOKS; i++) {
        if (this.#drain() > 0) {
          this.#credit.found();
          return true;
        }
        pause();
      }
    } while (performance.now() < end);
    this.#credit.missed();
    return false;
  }
}
