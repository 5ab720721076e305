/**
 * When something is due: a binary heap by time, entries of one time in the order they came.
 *
 * DH1. An entry that no longer holds is found out when it comes up. They are swept when they could be more than half, so the
 *      heap stays within twice what holds, and a few.
 */

/** Something due. */
export interface Due<Item> {
  readonly atMs: number;
  readonly order: number;
  readonly item: Item;
}

const SPARE = 64;

/** Entries by time. */
export class DeadlineHeap<Item> {
  readonly #holds: (due: Due<Item>) => boolean;
  #entries: Due<Item>[] = [];
  #orders = 0;

  /** `holds` says whether an entry still means something. */
  constructor(holds: (due: Due<Item>) => boolean) {
    this.#holds = holds;
  }

  /** Entries held, stale ones included. */
  get size(): number {
    return this.#entries.length;
  }

  /** Add an entry; `mostValid` is how many can hold at present. O(log n), and O(n) when it sweeps. */
  add(atMs: number, item: Item, mostValid: number): void {
    if (this.#entries.length >= 2 * mostValid + SPARE) this.#sweep();
    this.#entries.push({ atMs, order: ++this.#orders, item });
    this.#rise(this.#entries.length - 1);
  }

  /** When the first entry that holds is due; undefined when there is none. */
  nextMs(): number | undefined {
    for (;;) {
      const [first] = this.#entries;
      if (first === undefined || this.#holds(first)) return first?.atMs;
      this.#removeFirst();
    }
  }

  /** Take the first entry that holds and is due at `nowMs`. */
  take(nowMs: number): Due<Item> | undefined {
    const next = this.nextMs();
    return next === undefined || next > nowMs ? undefined : this.#removeFirst();
  }

  #sweep(): void {
    this.#entries = this.#entries.filter(this.#holds).sort((a, b) => (before(a, b) ? -1 : 1));
  }

  #removeFirst(): Due<Item> {
    const first = this.#entries[0] as Due<Item>;
    const last = this.#entries.pop() as Due<Item>;
    if (this.#entries.length > 0) {
      this.#entries[0] = last;
      this.#sink();
    }
    return first;
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const [a, b] = [this.#entries[left], this.#entries[right]];
      if (a === undefined) return;
      const child = b !== undefined && before(b, a) ? right : left;
      if (!this.#swapIfBefore(child, at)) return;
      at = child;
    }
  }

  #swapIfBefore(lower: number, upper: number): boolean {
    const [below, above] = [this.#entries[lower] as Due<Item>, this.#entries[upper] as Due<Item>];
    if (!before(below, above)) return false;
    this.#entries[lower] = above;
    this.#entries[upper] = below;
    return true;
  }
}

function before<Item>(a: Due<Item>, b: Due<Item>): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
