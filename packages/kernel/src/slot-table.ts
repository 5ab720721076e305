/**
 * Ids that are an index and a generation, so that looking one up is an array read and a stale one is never valid again.
 *
 * I1. id = generation * 2^22 + index: a whole number from 2^22 below 2^53. 0 is never an id.
 * I2. Each reuse of an index raises its generation. An index whose generations are used up is retired, not wrapped.
 * I3. At most `limit` items live at once; `insert` refuses more and changes nothing.
 */

/** Bits of an id that are the index. */
export const INDEX_BITS = 22;
/** Most items one table can hold. */
export const INDEX_LIMIT = 4_194_304;
/** Mask of the index bits. Bit operations see an id modulo 2^32, which keeps the low 22 bits exact. */
export const INDEX_MASK: number = INDEX_LIMIT - 1;
/** Last generation of an index: 2^31 - 1, so that every id stays below 2^53. */
export const GENERATION_LIMIT = 2_147_483_647;

const INITIAL_ROOM = 64;

/** A table of items by id. */
export class SlotTable<Item> {
  /** Items that live. */
  live = 0;
  /** Indices whose generations are used up (I2). */
  retired = 0;
  readonly #items: (Item | undefined)[] = [];
  /** Doubles from the start: ids outgrow small integers, and the table must not change its form while it is used. */
  #ids: Float64Array = new Float64Array(INITIAL_ROOM);
  #used = 0;
  readonly #free: number[] = [];
  readonly #limit: number;
  readonly #generations: number;

  /** `limit` from 1 to 2^22; `generations` from 1 to 2^31 - 1 (tests set a small one). */
  constructor(limit: number, generations: number = GENERATION_LIMIT) {
    this.#limit = limit;
    this.#generations = generations;
  }

  /** The id of the new item, or 0 when the table is full (I3). O(1). */
  insert(item: Item): number {
    if (this.live >= this.#limit) return 0;
    let index = this.#free.pop();
    if (index === undefined) {
      index = this.#used;
      if (index >= INDEX_LIMIT) return 0;
      if (index === this.#ids.length) this.#grow();
      this.#used++;
      this.#ids[index] = INDEX_LIMIT + index;
      this.#items.push(item);
    } else this.#items[index] = item;
    this.live++;
    return this.#ids[index]!;
  }

  /** The item with this id, if it lives. Any value is safe to ask for. O(1). */
  get(id: number): Item | undefined {
    const index = id & INDEX_MASK;
    return index < this.#used && this.#ids[index] === id ? this.#items[index] : undefined;
  }

  /** End an id. Returns whether it lived. O(1). */
  remove(id: number): boolean {
    const index = id & INDEX_MASK;
    if (this.#ids[index] !== id || this.#items[index] === undefined) return false;
    this.#items[index] = undefined;
    this.live--;
    if (generationOf(id) >= this.#generations) {
      this.#ids[index] = 0;
      this.retired++;
    } else {
      this.#ids[index] = id + INDEX_LIMIT;
      this.#free.push(index);
    }
    return true;
  }

  #grow(): void {
    const ids = new Float64Array(Math.min(this.#ids.length * 2, INDEX_LIMIT));
    ids.set(this.#ids);
    this.#ids = ids;
  }

  /** The live items in index order. */
  *values(): Generator<Item, void, undefined> {
    for (const item of this.#items) if (item !== undefined) yield item;
  }
}

/** The generation inside an id. */
export function generationOf(id: number): number {
  return Math.floor(id / INDEX_LIMIT);
}
