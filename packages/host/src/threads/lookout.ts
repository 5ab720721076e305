/**
 * How a thread hears of what others write into shared memory: while messages flow it looks by itself, once per turn of its loop and for a
 * few microseconds at a time; else it sleeps and is woken by its port. A thread that sleeps takes 10 to 70 us to wake up, as long as ten
 * messages.
 *
 * LK1. Whenever this thread does not look by itself, every ring says that it is asleep; after that was said everything is looked at once
 *      more, in the next turn of the loop if something is there. So nothing is missed in between.
 * LK2. It stays awake for {@link AWAKE_MS} after the last message that came or was sent, and serves its loop meanwhile: timers and sockets
 *      wait for {@link TURN_MS} at most. An idle thread sleeps, and wakes for nothing.
 * LK3. Where what it stays awake for comes too late, again and again, it goes to sleep at once, but for one time in {@link SKIPPED_MOST}.
 *      Whether staying awake is worth it at all is for the ports to say (RP4 of `ring-port.ts`).
 * LK4. Right after messages it looks on only where that brings the next one, as it does while two threads answer each other at once: else the loop
 *      has its turn first, which may have to do what the messages asked for.
 */
import { availableParallelism } from "node:os";
import { pause } from "../engines/spin-choice.ts";

/** How long a thread stays awake for the next message, in milliseconds. */
export const AWAKE_MS = 0.2;
/** The most of one turn of the loop that is spent on messages, in milliseconds. */
const TURN_MS = 1;
/** How long it looks without giving the loop a turn, in milliseconds. */
const LOOK_MS = 0.005;
/** Looks between two readings of the clock. */
const LOOKS = 16;
/** Looking on right after messages is given up after so many times in vain, and tried again each so many times (LK4). */
const PAID_MOST = 16;
const TRIED_EACH = 64;
/** So many times in vain are a habit. */
const VAIN_MOST = 6;
/** Reasons to stay awake that are passed over then, at most. */
export const SKIPPED_MOST = 64;

/** Something that can be looked at. */
export interface Looked {
  /**
   * Take what is there, and say that more is expected; no more than one when the clock says `endMs` (LK2). Returns whether there was
   * something.
   */
  take(endMs: number): boolean;
  /** Whether there is something to take. */
  readonly ready: boolean;
  /** Whether this thread is to be woken for it from now on, or looks by itself (LK1). */
  asleep: boolean;
}

/** What a lookout lives on. */
export interface LookoutSetting {
  nowMs(): number;
  /** As soon as the code that runs and its promises are through. */
  soon(look: () => void): unknown;
  /** In the next turn of the loop. */
  nextTurn(turn: () => void): unknown;
  /** Whether threads may look at all: a thread that looks takes the only processor from the one it waits for. */
  readonly mayLook: boolean;
}

/** The lookout of one thread. */
export class Lookout {
  readonly #setting: LookoutSetting;
  readonly #looked = new Set<Looked>();
  #awake = false;
  /** A look is due, soon or in the next turn. */
  #due = false;
  #untilMs = 0;
  #turnEndMs = 0;
  /** Something came since the thread was last kept awake. */
  #came = false;
  #vain = 0;
  #skip = 0;
  /** Whether the look that is due comes right after messages; how well such looks paid, and how many were passed over since that is 0 (LK4). */
  #looksOn = false;
  #paid = PAID_MOST;
  #passed = 0;

  constructor(setting: LookoutSetting) {
    this.#setting = setting;
  }

  /** Whether the thread looks by itself. */
  get awake(): boolean {
    return this.#awake;
  }

  add(looked: Looked): void {
    this.#looked.add(looked);
    looked.asleep = !this.#awake;
    try {
      looked.take(this.#setting.nowMs() + TURN_MS);
    } finally {
      this.#rest(looked);
    }
  }

  remove(looked: Looked): void {
    this.#looked.delete(looked);
  }

  /** Whether threads may look at all. */
  get mayLook(): boolean {
    return this.#setting.mayLook;
  }

  nowMs(): number {
    return this.#setting.nowMs();
  }

  /** A message came, or was sent, a moment ago: another is likely to come (LK2). */
  expect(nowMs: number): void {
    if (this.#awake) {
      this.#untilMs = nowMs + AWAKE_MS;
      return;
    }
    if (!this.#setting.mayLook) return;
    if (this.#skip > 0) {
      this.#skip--;
      return;
    }
    this.#awake = true;
    this.#came = false;
    for (const looked of this.#looked) looked.asleep = false;
    this.#untilMs = nowMs + AWAKE_MS;
    this.#turnEndMs = nowMs + TURN_MS;
    this.#soon();
  }

  /** This thread was woken for something: what is there is taken. */
  woken(looked: Looked): void {
    try {
      looked.take(this.#awake ? this.#turnEndMs : this.#setting.nowMs() + TURN_MS);
    } finally {
      if (!this.#awake && this.#looked.has(looked)) {
        looked.asleep = true;
        this.#rest(looked);
      }
    }
  }

  /** What is left, or came before this thread said that it sleeps, nobody wakes for: it is taken in the next turn (LK1). */
  #rest(looked: Looked): void {
    if (!this.#awake && looked.ready) this.#later();
  }

  #soon(): void {
    if (this.#due) return;
    if (this.#paid === 0 && ++this.#passed % TRIED_EACH !== 0) {
      this.#later();
      return;
    }
    this.#due = true;
    this.#looksOn = true;
    this.#setting.soon(this.#look);
  }

  #later(): void {
    if (this.#due) return;
    this.#due = true;
    this.#setting.nextTurn(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnEndMs = this.#setting.nowMs() + TURN_MS;
    this.#looksOn = false;
    this.#look();
  };

  readonly #look = (): void => {
    this.#due = false;
    if (!this.#awake) {
      this.#takeAll();
      for (const looked of this.#looked) this.#rest(looked);
      return;
    }
    const endMs = this.#setting.nowMs() + LOOK_MS;
    do {
      for (let i = 0; i < LOOKS; i++) {
        if (this.#takeAll()) {
          this.#found();
          return;
        }
        pause();
      }
    } while (this.#setting.nowMs() < endMs);
    if (this.#looksOn && this.#paid > 0) this.#paid--;
    if (this.#setting.nowMs() < this.#untilMs) this.#later();
    else this.#sleep();
  };

  #takeAll(): boolean {
    let found = false;
    try {
      for (const looked of this.#looked) if (looked.take(this.#turnEndMs)) found = true;
    } catch (error) {
      // A listener has thrown: the host hears of it, and what else is there is looked at in the next turn.
      this.#later();
      throw error;
    }
    return found;
  }

  #found(): void {
    this.#came = true;
    this.#vain = 0;
    if (this.#looksOn) this.#paid = PAID_MOST;
    if (this.#setting.nowMs() < this.#turnEndMs) this.#soon();
    else this.#later();
  }

  #sleep(): void {
    this.#awake = false;
    for (const looked of this.#looked) looked.asleep = true;
    if (!this.#came) {
      this.#vain++;
      if (this.#vain >= VAIN_MOST) this.#skip = Math.min(2 ** this.#vain, SKIPPED_MOST);
    }
    for (const looked of this.#looked) this.#rest(looked);
  }
}

let own: Lookout | undefined;

/** The lookout of this thread. */
export function lookoutHere(): Lookout {
  own ??= new Lookout({
    nowMs: () => performance.now(),
    // A tick that a tick asks for comes before the promises; one that a promise asks for comes after all of them.
    soon: (look) => queueMicrotask(() => process.nextTick(look)),
    nextTurn: setImmediate,
    mayLook: availableParallelism() > 1,
  });
  return own;
}
