/**
 * One budget of processors for all engines of a process: a worker runs a job only while it holds a place.
 *
 * C1. At most `processors` members run at once, whatever pools they belong to. Each holder is a bit of one word, taken and given back by
 *     one compare-and-exchange, so a member that dies at any point holds at most its own bit, which `left` clears.
 * C2. A member that waits is woken when a place becomes free; `left` wakes all that wait, so a wake-up that died with a member is made up.
 * C3. At most 32 members, a bit each.
 */
import { BadOptionError } from "../errors.ts";
import { BudgetFullError } from "./errors.ts";

const LIMIT = 0;
const RUNNING = 1;
const WAITING = 2;
/** First of the words members sleep on. */
const PARK = 3;
/** Members of one budget (C3). */
export const MEMBERS = 32;
const PROCESSORS_MOST = 4096;

function bitsOf(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** A member's view of the budget: what a worker thread works with. */
export class BudgetPlace {
  readonly id: number;
  readonly #words: Int32Array;
  readonly #bit: number;

  constructor(memory: SharedArrayBuffer, id: number) {
    this.id = id;
    this.#words = new Int32Array(memory);
    this.#bit = 1 << id;
  }

  /** Take a place if one is free or held already. */
  tryTake(): boolean {
    const words = this.#words;
    for (;;) {
      const held = Atomics.load(words, RUNNING);
      if ((held & this.#bit) !== 0) return true;
      if (bitsOf(held) >= Atomics.load(words, LIMIT)) return false;
      if (Atomics.compareExchange(words, RUNNING, held, held | this.#bit) === held) return true;
    }
  }

  /** Take a place, sleeping until one is free. Blocks the thread; not for the main thread. */
  take(): void {
    // The ticket is read first: a wake-up between the look and the sleep must end the sleep.
    for (let ticket = this.ticket(); !this.#tryOrQueue(); ticket = this.ticket()) this.sleep(ticket);
  }

  /** As `take`, without blocking. */
  async taken(): Promise<void> {
    for (;;) {
      const ticket = this.ticket();
      if (this.#tryOrQueue()) return;
      const wait = Atomics.waitAsync(this.#words, PARK + this.id, ticket);
      if (wait.async) await wait.value;
    }
  }

  #tryOrQueue(): boolean {
    const words = this.#words;
    if (this.tryTake()) return true;
    Atomics.or(words, WAITING, this.#bit);
    if (!this.tryTake()) return false;
    Atomics.and(words, WAITING, ~this.#bit);
    return true;
  }

  /** Give the place back and wake one that waits. */
  give(): void {
    Atomics.and(this.#words, RUNNING, ~this.#bit);
    wakeWaiting(this.#words, this.id + 1);
  }

  /** Whether a member waits for a place. */
  get contended(): boolean {
    return Atomics.load(this.#words, WAITING) !== 0;
  }

  /** The word to hand to `sleep`: read it before the last look for work. */
  ticket(): number {
    return Atomics.load(this.#words, PARK + this.id);
  }

  /** Sleep unless somebody woke this member since the ticket was read. Blocks the thread. */
  sleep(ticket: number): void {
    Atomics.wait(this.#words, PARK + this.id, ticket);
  }

  /** Wake this member, or make its next sleep end at once. */
  wake(): void {
    wakeMember(this.#words, this.id);
  }
}

function wakeMember(words: Int32Array, id: number): void {
  Atomics.add(words, PARK + id, 1);
  Atomics.notify(words, PARK + id);
}

/** Wake the next member that waits, looking from `from` upwards, so that none is passed over for ever. */
function wakeWaiting(words: Int32Array, from: number): boolean {
  for (;;) {
    const waiting = Atomics.load(words, WAITING);
    if (waiting === 0) return false;
    let id = from % MEMBERS;
    while ((waiting & (1 << id)) === 0) id = (id + 1) % MEMBERS;
    if (Atomics.compareExchange(words, WAITING, waiting, waiting & ~(1 << id)) !== waiting) continue;
    wakeMember(words, id);
    return true;
  }
}

/** A budget. Share one among all engines of a process. */
export class CpuBudget {
  readonly processors: number;
  /** The shared words. */
  readonly memory: SharedArrayBuffer = new SharedArrayBuffer((PARK + MEMBERS) * Int32Array.BYTES_PER_ELEMENT);
  readonly #words: Int32Array = new Int32Array(this.memory);
  #members = 0;

  /** `processors`: 1 to 4096. @throws {BadOptionError} */
  constructor(processors: number) {
    if (!Number.isInteger(processors) || processors < 1 || processors > PROCESSORS_MOST)
      throw new BadOptionError("processors", processors, `a whole number from 1 to ${PROCESSORS_MOST}`);
    this.processors = processors;
    Atomics.store(this.#words, LIMIT, processors);
  }

  /** A new member. @throws {BudgetFullError} (C3) */
  join(): BudgetPlace {
    let id = 0;
    while (id < MEMBERS && (this.#members & (1 << id)) !== 0) id++;
    if (id === MEMBERS) throw new BudgetFullError(MEMBERS);
    this.#members |= 1 << id;
    return new BudgetPlace(this.memory, id);
  }

  /** A member died, or is about to be replaced under the same place: take back what it held (C1, C2). */
  left(place: BudgetPlace): void {
    Atomics.and(this.#words, RUNNING, ~(1 << place.id));
    Atomics.and(this.#words, WAITING, ~(1 << place.id));
    while (wakeWaiting(this.#words, 0));
  }

  /** A member is gone for good. */
  leave(place: BudgetPlace): void {
    this.left(place);
    this.#members &= ~(1 << place.id);
  }

  /** Members that run now. */
  get running(): number {
    return bitsOf(Atomics.load(this.#words, RUNNING));
  }
}
