/**
 * What a guest is given, recorded as it is given, and given again from a record (docs/spec/replica.md).
 *
 * TP1. Every item is recorded, those that are replayed too, in the order in which the guest got them.
 * TP2. What is recorded is told before anything that the guest said after it ({@link Tape.flush}).
 * TP3. A guest that asks for another kind of thing than the record has next stops with `cells.replay-diverged`. When the record is over it goes on live.
 */

import { inputsEntry, type TapeItem } from "./entries.ts";
import { ReplayDivergedError } from "./errors.ts";

/** Items that are told at the latest together. */
const ITEMS_TOLD = 64;
/** Most randomness in one item; more is recorded in parts. */
const RANDOM_MAX = 65_536;
const TAKEN: TapeItem = [0];
const WAITS: TapeItem = [4];

/** One guest's. */
export class Tape {
  readonly #told: (entry: Uint8Array) => void;
  #recorded: TapeItem[] = [];
  #replay: readonly TapeItem[];
  #at = 0;

  /** `told` gets entries; `replay` is what the guest is given first. */
  constructor(told: (entry: Uint8Array) => void, replay: readonly TapeItem[] = []) {
    this.#told = told;
    this.#replay = replay;
  }

  /** Whether there is more to replay. */
  get replaying(): boolean {
    this.#skipWaits();
    return this.#at < this.#replay.length;
  }

  /** The next result of a blocking import: a number, or that it took a message; undefined when the record is over (TP3). */
  nextResult(): { readonly taken: true } | { readonly value: number } | undefined {
    if (!this.replaying) return undefined;
    const item = this.#replay[this.#at++] as TapeItem;
    if (item[0] === 0) return { taken: true };
    if (item[0] !== 1) throw new ReplayDivergedError("it made a blocking call");
    return { value: item[1] };
  }

  /** The guest took the first message of its mailbox. */
  took(): void {
    this.#record(TAKEN);
  }

  /** A blocking import returned a number and nothing else. */
  returned(value: number): void {
    this.#record([1, value]);
  }

  /** The guest waits for a time from now on. */
  waits(): void {
    this.#record(WAITS);
    this.flush();
  }

  /** What the wall clock says to the guest. */
  wallMs(live: () => number): number {
    const wallMs = this.replaying ? this.#expect(2, "it asked for the time") : Math.trunc(live());
    this.#record([2, wallMs]);
    return wallMs;
  }

  /** Randomness for the guest. */
  random(target: Uint8Array, live: (target: Uint8Array) => void): void {
    for (let at = 0; at < target.length; at += RANDOM_MAX) {
      const part = target.subarray(at, at + RANDOM_MAX);
      if (this.replaying) {
        const bytes = this.#expect(3, "it asked for randomness");
        if (bytes.length !== part.length) throw new ReplayDivergedError("it asked for other randomness");
        part.set(bytes);
      } else live(part);
      this.#record([3, part.slice()]);
    }
  }

  /** Tell what is recorded (TP2). */
  flush(): void {
    if (this.#recorded.length === 0) return;
    const entry = inputsEntry(this.#recorded);
    this.#recorded = [];
    this.#told(entry);
  }

  #expect<Kind extends 2 | 3>(kind: Kind, did: string): Extract<TapeItem, readonly [Kind, unknown]>[1] {
    const item = this.#replay[this.#at++];
    if (item?.[0] !== kind) throw new ReplayDivergedError(did);
    return item[1] as Extract<TapeItem, readonly [Kind, unknown]>[1];
  }

  #skipWaits(): void {
    while (this.#replay[this.#at]?.[0] === 4) this.#at++;
    if (this.#at === this.#replay.length && this.#at > 0) {
      this.#replay = [];
      this.#at = 0;
    }
  }

  #record(item: TapeItem): void {
    this.#recorded.push(item);
    const isLong = item[0] === 3 && item[1].length >= RANDOM_MAX;
    if (this.#recorded.length >= ITEMS_TOLD || isLong) this.flush();
  }
}
