/**
 * How the main thread hears of what workers finished: it looks, for a moment or once per turn of the loop, while results keep coming, and
 * has itself woken when they do not.
 *
 * L1. Whenever this thread does not look by itself, LISTENING is 1 and a wait on the doorbell is pending; who takes LISTENING away rings.
 *     After it is set everything is looked at once more, so nothing is missed in between.
 * L2. Looking blocks the loop for at most `longestMs` at a time and `TURN_MS` per turn of the loop: timers and sockets get their turn.
 */
import { DOORBELL, LISTENING, LOOKING } from "./job-memory.ts";
import { pause, SpinChoice } from "./spin-choice.ts";

/** Longest time one turn of the loop is spent looking, in milliseconds (L2). */
const TURN_MS = 1;
/** Looks between two readings of the clock. */
const LOOKS = 16;

/** What the listener asks of its engine. */
export interface Listened {
  /** Take what is finished; gives how much that was. */
  drain(): number;
  /** Whether results are to come. */
  open(): boolean;
}

/** The listener of one engine. */
export class ResultListener {
  readonly #words: Int32Array;
  readonly #engine: Listened;
  readonly #longestMs: number;
  readonly #choice: SpinChoice;
  /** Whether a wait on the doorbell is pending. */
  #waiting = false;
  #turnDue = false;
  #turnEnd = 0;
  /** Since when results are awaited; NaN: they are not. */
  #since = Number.NaN;
  #closed = false;

  constructor(words: Int32Array, engine: Listened, longestMs: number) {
    this.#words = words;
    this.#engine = engine;
    this.#longestMs = longestMs;
    this.#choice = new SpinChoice(longestMs, (looking) => Atomics.store(words, LOOKING, looking ? 1 : 0));
  }

  /** Jobs are about to be queued: their wait begins. The thread that is woken for them may run, and be done, before this one goes on. */
  begin(): void {
    if (Number.isNaN(this.#since)) this.#since = performance.now();
  }

  /** Jobs were queued: see to it that their results are heard of. */
  expect(): void {
    if (this.#closed) return;
    if (this.#turnDue) {
      if (this.#choice.looking && performance.now() < this.#turnEnd) this.#look();
      return;
    }
    if (!this.#choice.looking) {
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
      if (this.#take() && this.#engine.open()) {
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

  /** Take what is finished, if anything is. */
  #take(): boolean {
    if (this.#engine.drain() === 0) return false;
    const now = performance.now();
    if (!Number.isNaN(this.#since)) this.#choice.waited(now - this.#since);
    this.#since = this.#engine.open() ? now : Number.NaN;
    return true;
  }

  #rung(): void {
    this.#waiting = false;
    if (this.#closed) return;
    this.#take();
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
    const found = this.#take() || (this.#engine.open() && this.#choice.looking && this.#look());
    if (found && this.#engine.open()) this.#turnLater();
    else this.listen();
  }

  /** Look until something is there, for a moment. */
  #look(): boolean {
    const end = performance.now() + this.#longestMs;
    do {
      for (let i = 0; i < LOOKS; i++) {
        if (this.#take()) return true;
        pause();
      }
    } while (performance.now() < end);
    return false;
  }
}
