/**
 * A hierarchical timer wheel: eight levels of 64 slots, the timers kept as parallel arrays (Varghese and Lauck, "Hashed and
 * Hierarchical Timing Wheels", 1987, scheme 7). A slot of level k spans 64^k ticks; a tick is a millisecond.
 *
 * Setting and cancelling are O(1) and allocate nothing while the arrays are long enough; each timer moves down at most 7 times.
 *
 * V1. A deadline is rounded up to a whole millisecond, so nothing is early and nothing is later than that by the wheel's doing.
 * V2. `#tick` never passes the start of a slot that has timers without emptying it: the timers of level 0 become due, those of a
 *     higher level move down. So every slot in use starts after `#tick`, at most one turn of its level ahead.
 * V3. Timers expire in order of their rounded deadlines; what is past already when it is set counts as due at that moment. Those of
 *     one millisecond expire in an order that depends only on the calls made, but is not the order of setting: simulated time uses
 *     the heap.
 */
import type { Timed, TimerQueue } from "./timer-queue.ts";

const LEVELS = 8;
const SLOTS = 64;
const SLOT_BITS = 6;
/** The pseudo-slot of timers that are due. */
const DUE = LEVELS * SLOTS;
const NONE = -1;
const FIRST_CAPACITY = 256;
/** Ticks one slot of each level spans. */
const SPANS: readonly number[] = [
  1, 64, 4096, 262_144, 16_777_216, 1_073_741_824, 68_719_476_736, 4_398_046_511_104,
];
/** Slots one tick is of each level: powers of two, so multiplying is exact and quicker than dividing. */
const SHARES: readonly number[] = SPANS.map((span) => 1 / span);
/** Distances below this fit the whole-number unit. */
const NEAR = 0x40000000;
/** A deadline further ahead than the wheel turns is put into the last slot and looked at again when that comes: 64^8 ms. */
const HORIZON = 281_474_976_710_655;

/** Deadlines on a wheel. */
export class TimerWheel<Item extends Timed> implements TimerQueue<Item> {
  readonly resolutionMs = 1;
  #size = 0;
  #tick: number;
  #capacity = FIRST_CAPACITY;
  #free = NONE;
  #used = 0;
  #deadlines = new Float64Array(FIRST_CAPACITY);
  #next = new Int32Array(FIRST_CAPACITY);
  #prev = new Int32Array(FIRST_CAPACITY);
  #slots = new Int32Array(FIRST_CAPACITY);
  readonly #items: (Item | undefined)[] = [];
  readonly #heads = new Int32Array(DUE + 1).fill(NONE);
  readonly #tails = new Int32Array(DUE + 1).fill(NONE);
  /** Two words of 32 bits per level: the slots that have timers. */
  readonly #bits = new Int32Array(LEVELS * 2);

  /** A wheel that stands at the present moment of the monotonic clock. */
  constructor(nowMs: number) {
    this.#tick = Math.floor(nowMs);
  }

  /** Timers that are set. */
  get size(): number {
    return this.#size;
  }

  /** The moment a timer becomes due or has to move down, whichever is first. O(levels). */
  get next(): number {
    if (this.#heads[DUE] !== NONE) return this.#tick;
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#nextStop();
  }

  /** The deadline of something that has a timer, as it was set. */
  deadlineOf(item: Item): number | undefined {
    return item.timerAt < 0 ? undefined : this.#deadlines[item.timerAt];
  }

  /** Set a timer. The item must have none. */
  set(item: Item, deadlineMs: number): void {
    let at = this.#free;
    if (at !== NONE) this.#free = this.#next[at]!;
    else {
      at = this.#used++;
      if (at === this.#capacity) this.#grow();
    }
    this.#deadlines[at] = deadlineMs;
    this.#items[at] = item;
    item.timerAt = at;
    this.#size++;
    this.#place(at);
  }

  /** Forget a timer, if there is one. */
  cancel(item: Item): void {
    const at = item.timerAt;
    if (at < 0) return;
    this.#unlink(at);
    this.#release(at, item);
  }

  /** Take one whose rounded deadline has come, or null. */
  expire(nowMs: number): Item | null {
    let at = this.#heads[DUE]!;
    if (at === NONE) {
      this.#advance(Math.floor(nowMs));
      at = this.#heads[DUE]!;
      if (at === NONE) return null;
    }
    const item = this.#items[at]!;
    this.#unlink(at);
    this.#release(at, item);
    return item;
  }

  #release(at: number, item: Item): void {
    item.timerAt = NONE;
    this.#items[at] = undefined;
    this.#next[at] = this.#free;
    this.#free = at;
    this.#size--;
  }

  /** Go to `to`, or to the first moment on the way at which something is due. */
  #advance(to: number): void {
    while (this.#size > 0) {
      const stop = this.#nextStop();
      if (stop > to) break;
      this.#tick = stop;
      this.#empty(stop);
      if (this.#heads[DUE] !== NONE) return;
    }
    if (to > this.#tick) this.#tick = to;
  }

  /** The first moment after `#tick` at which a slot in use starts. */
  #nextStop(): number {
    const bits = this.#bits;
    const at = this.#tick & (SLOTS - 1);
    const near = (bits[0]! | bits[1]!) === 0 ? SLOTS + 1 : ahead(bits[0]!, bits[1]!, at);
    // A slot of a higher level starts at a multiple of 64 at the earliest, so one of level 0 before that comes first.
    if (at + near < SLOTS) return this.#tick + near;
    let stop = near > SLOTS ? Number.POSITIVE_INFINITY : this.#tick + near;
    for (let level = 1; level < LEVELS; level++) {
      const low = bits[level * 2]!;
      const high = bits[level * 2 + 1]!;
      if ((low | high) === 0) continue;
      const turn = Math.floor(this.#tick * SHARES[level]!);
      const start = (turn + ahead(low, high, turn & (SLOTS - 1))) * SPANS[level]!;
      if (start < stop) stop = start;
    }
    return stop;
  }

  /** Empty every slot that starts at this moment, the highest level first, so that its timers find their place below. */
  #empty(tick: number): void {
    let level = 0;
    while (level < LEVELS - 1 && tick % SPANS[level + 1]! === 0) level++;
    for (; level >= 0; level--) {
      const slot = (level << SLOT_BITS) | ((tick * SHARES[level]!) & (SLOTS - 1));
      let at = this.#heads[slot]!;
      if (at === NONE) continue;
      this.#heads[slot] = NONE;
      this.#tails[slot] = NONE;
      this.#clear(slot);
      while (at !== NONE) {
        const following = this.#next[at]!;
        this.#place(at);
        at = following;
      }
    }
  }

  /** Put a timer into the slot its distance asks for (V2). */
  #place(at: number): void {
    const tick = this.#tick;
    const distance = Math.ceil(this.#deadlines[at]!) - tick;
    if (distance < SLOTS) {
      this.#link(at, distance <= 0 ? DUE : (tick + distance) & (SLOTS - 1));
      return;
    }
    const level = distance < NEAR ? ((31 - Math.clz32(distance)) / SLOT_BITS) | 0 : farLevel(distance);
    const turn = Math.floor((tick + Math.min(distance, HORIZON)) * SHARES[level]!);
    this.#link(at, (level << SLOT_BITS) | (turn & (SLOTS - 1)));
  }

  #link(at: number, slot: number): void {
    const tail = this.#tails[slot]!;
    this.#slots[at] = slot;
    this.#next[at] = NONE;
    this.#prev[at] = tail;
    this.#tails[slot] = at;
    if (tail !== NONE) {
      this.#next[tail] = at;
      return;
    }
    this.#heads[slot] = at;
    if (slot !== DUE) this.#bits[slot >> 5]! |= 1 << (slot & 31);
  }

  #unlink(at: number): void {
    const slot = this.#slots[at]!;
    const next = this.#next[at]!;
    const prev = this.#prev[at]!;
    if (prev === NONE) this.#heads[slot] = next;
    else this.#next[prev] = next;
    if (next === NONE) this.#tails[slot] = prev;
    else this.#prev[next] = prev;
    if (prev === NONE && next === NONE) this.#clear(slot);
  }

  #clear(slot: number): void {
    if (slot !== DUE) this.#bits[slot >> 5]! &= ~(1 << (slot & 31));
  }

  #grow(): void {
    const longer = this.#capacity * 2;
    this.#deadlines = copied(new Float64Array(longer), this.#deadlines);
    this.#next = copied(new Int32Array(longer), this.#next);
    this.#prev = copied(new Int32Array(longer), this.#prev);
    this.#slots = copied(new Int32Array(longer), this.#slots);
    this.#capacity = longer;
  }
}

/** Slots from `from` to the first one in use after it, cyclically: 1 to 64. One of the words has a bit. */
function ahead(low: number, high: number, from: number): number {
  const start = (from + 1) & (SLOTS - 1);
  const half = start >> 5;
  const shift = start & 31;
  const first = half === 0 ? low : high;
  const second = half === 0 ? high : low;
  const near = first & (-1 << shift);
  let slot: number;
  if (near !== 0) slot = lowest(near);
  else if (second !== 0) slot = 32 + lowest(second);
  else slot = 64 + lowest(first);
  return slot - shift + 1;
}

/** The level of a distance of {@link NEAR} or more. */
function farLevel(distance: number): number {
  let level = 4;
  while (level < LEVELS - 1 && distance >= SPANS[level + 1]!) level++;
  return level;
}

function lowest(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function copied<Words extends Float64Array | Int32Array>(target: Words, source: Words): Words {
  target.set(source as never);
  return target;
}
