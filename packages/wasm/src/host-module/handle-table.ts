/**
 * The handles of one guest in one host module (docs/spec/host-abi.md, HA7 to HA9).
 *
 * T1. A handle is `generation * 65536 + slot`, generation 1 to 32767: always positive as an i32. A freed slot comes back with the
 *     next generation, so a handle kept too long is refused, until the slot has been used 32,767 times more.
 * T2. The slot freed last is used first. What a table gives next depends on its operations alone, and `save` keeps all of it.
 * T3. O(1) per operation; memory for as many slots as were ever live at once.
 */

import type { HandleCodec, HandleTable } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { SnapshotMismatchError } from "../errors.ts";

/** One slot as written down: its generation, and the record of what it holds (null when it is free). */
export type SavedSlot = readonly [generation: number, record: Uint8Array | null];

/** A table as written down. */
export interface SavedHandles {
  readonly slots: readonly SavedSlot[];
  /** Free slots; the last is used next. */
  readonly free: readonly number[];
}

/** Most slots of any table. */
export const MOST_HANDLES = 65_536;
const GENERATIONS = 32_767;

interface Slot<Thing> {
  generation: number;
  live: boolean;
  thing: Thing | undefined;
}

/** A table within a quota. */
export class SlotTable<Thing> implements HandleTable<Thing> {
  readonly #quota: number;
  readonly #slots: Slot<Thing>[] = [];
  readonly #free: number[] = [];

  constructor(quota: number) {
    this.#quota = quota;
  }

  get size(): number {
    return this.#slots.length - this.#free.length;
  }

  add(thing: Thing): number {
    if (this.size >= this.#quota) return GUEST_ERRORS.E_LIMIT;
    const reused = this.#free.pop();
    const index = reused ?? this.#slots.push({ generation: 0, live: false, thing: undefined }) - 1;
    const slot = this.#slots[index] as Slot<Thing>;
    slot.generation = (slot.generation % GENERATIONS) + 1;
    slot.live = true;
    slot.thing = thing;
    return slot.generation * MOST_HANDLES + index;
  }

  get(handle: number): Thing | undefined {
    return this.#live(handle)?.thing;
  }

  remove(handle: number): Thing | undefined {
    const slot = this.#live(handle);
    if (slot === undefined) return undefined;
    const { thing } = slot;
    slot.live = false;
    slot.thing = undefined;
    this.#free.push(handle % MOST_HANDLES);
    return thing;
  }

  *entries(): IterableIterator<[handle: number, thing: Thing]> {
    for (const [index, { live, generation, thing }] of this.#slots.entries())
      if (live) yield [generation * MOST_HANDLES + index, thing as Thing];
  }

  /** All of the table as data. */
  save(codec: HandleCodec<Thing>): SavedHandles {
    return {
      slots: this.#slots.map(({ generation, live, thing }) => [
        generation,
        live ? codec.encode(thing as Thing) : null,
      ]),
      free: [...this.#free],
    };
  }

  /** A table as it was saved. @throws SnapshotMismatchError when it is over the quota or contradicts itself */
  static restored<Thing>(saved: SavedHandles, codec: HandleCodec<Thing>, ofModule: string): SlotTable<Thing> {
    const table = new SlotTable<Thing>(codec.quota);
    const live = saved.slots.length - saved.free.length;
    if (live < 0 || live > codec.quota)
      throw new SnapshotMismatchError(`handles of ${ofModule}`, `${live} live`, `at most ${codec.quota}`);
    checkFree(saved, ofModule);
    for (const [generation, record] of saved.slots)
      table.#slots.push({
        generation,
        live: record !== null,
        thing: record === null ? undefined : codec.decode(record),
      });
    table.#free.push(...saved.free);
    return table;
  }

  #live(handle: number): Slot<Thing> | undefined {
    const slot = this.#slots[handle % MOST_HANDLES];
    return slot?.live && slot.generation === Math.floor(handle / MOST_HANDLES) ? slot : undefined;
  }
}

/** The free list names every free slot once, and no live one; generations are in range. */
function checkFree({ slots, free }: SavedHandles, ofModule: string): void {
  const named = new Set(free);
  const unused = slots.flatMap(([, record], index) => (record === null ? [index] : []));
  const consistent =
    named.size === free.length &&
    unused.length === free.length &&
    unused.every((index) => named.has(index)) &&
    slots.every(
      ([generation]) => Number.isInteger(generation) && generation >= 1 && generation <= GENERATIONS,
    );
  if (!consistent)
    throw new SnapshotMismatchError(`handles of ${ofModule}`, "inconsistent", "one free list of free slots");
}
