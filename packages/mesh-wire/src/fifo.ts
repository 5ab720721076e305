/** A first-in first-out queue with constant amortised cost; `Array.shift` is linear for long arrays. */

const COMPACT_AT = 1024;

/** A queue of values. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  /** How many values wait. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Add a value at the end. */
  push(value: T): void {
    this.#items.push(value);
  }

  /** The oldest value, which stays. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Remove the oldest value. */
  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const value = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }

  /** Remove everything. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
