/**
 * What a guest is given, recorded as it is given, and given again from a record (docs/spec/replica.md).
 *
 * TP1. Every item is recorded, those that are replayed too, in the order in which the guest got them.
 * TP2. What is recorded is told before anything that the guest said after it ({@link Tape.flush}).
 * TP3. A guest that asks for another kind of thing than the record has next stops with `cells.replay-diverged`. When the record is over it goes on live.
 * TP4. What a call asked for is told in the entry that has the call's answer, once: of a replayed answer it is left out, for it was told before.
 * TP5. A call that is not made twice, was begun and has no answer in the record is answered by `cells.outcome-unknown`.
 * TP6. A guest that goes on from the middle of its record without the rest would say all of that again. So no copy is made while it runs; that of one that
 *      stands still has the rest in it ({@link Tape.copied}), which is not recorded again.
 * TP7. An entry fits a log: of randomness it has less than two parts of {@link RANDOM_MAX}.
 * TP8. An image that moves has no place for the rest of a record: what stands still in the middle of it is refused ({@link Tape.replaying}).
 */
import type { CallResult } from "@glia-os/abi/ports";
import { refusal } from "@glia-os/kernel/guests";

import { inputsEntry, type TapeItem } from "./entries.ts";
import { OutcomeUnknownError, ReplayDivergedError } from "./errors.ts";

/** Items that are told at the latest together. */
const ITEMS_TOLD = 64;
/** Most randomness in one item; more is recorded in parts. */
const RANDOM_MAX = 65_536;
/** An answer with more bytes than this is told by itself. */
const ANSWER_ALONE = 4096;
/** Room for what a guest is told of a failure. */
const FAILURE_BYTES = 4096;
/** Most bytes of what one call asks for, so that an entry with them fits a log. */
export const OUTPUTS_MAX: number = 1_048_576 + 49_152;
const TAKEN: TapeItem = [0];
const WAITS: TapeItem = [4];

/** What a blocking import is given again. */
export type Again = { readonly taken: true } | CallResult;

/** One guest's. */
export class Tape {
  readonly #told: (entry: Uint8Array, outputs?: Uint8Array) => void;
  readonly #wantsHeld: (number: number) => void;
  #recorded: TapeItem[] = [];
  #outputs: Uint8Array | undefined;
  #begun: string | undefined;
  #asked = 0;
  #held = 0;
  #replay: readonly TapeItem[];
  #at = 0;
  /** Items of the replay that are in a copy, and are not recorded again (TP6). */
  #ahead = 0;
  /** Of randomness that is not told yet (TP7). */
  #randomBytes = 0;

  /**
   * `told` gets entries, and what is to be done once the entry is held; `wantsHeld` the number of a wait for what was told so far ({@link held});
   * `replay` is what the guest is given first.
   */
  constructor(
    told: (entry: Uint8Array, outputs?: Uint8Array) => void,
    wantsHeld: (number: number) => void,
    replay: readonly TapeItem[] = [],
  ) {
    this.#told = told;
    this.#wantsHeld = wantsHeld;
    this.#replay = replay;
  }

  /** Whether there is more to replay. */
  get replaying(): boolean {
    this.#skipWaits();
    return this.#at < this.#replay.length;
  }

  /** The call that was begun, is not made twice and was not answered. */
  get begun(): string | undefined {
    return this.#begun;
  }

  /** The next result of a blocking import, by the name of the call; undefined when the record is over (TP3). */
  nextResult(op: string): Again | undefined {
    let wasBegun = false;
    while (this.replaying) {
      const item = this.#replay[this.#at++] as TapeItem;
      if (item[0] === 0) return { taken: true };
      if (item[0] === 1) return { value: item[1] };
      if ((item[0] !== 5 && item[0] !== 6) || item[1] !== op)
        throw new ReplayDivergedError(`it made the call ${op}`);
      if (item[0] === 5) return item[3] === null ? { value: item[2] } : { value: item[2], payload: item[3] };
      this.begins(op);
      wasBegun = true;
    }
    return wasBegun ? refusal(new OutcomeUnknownError(op), FAILURE_BYTES) : undefined;
  }

  /** The guest took the first message of its mailbox. */
  took(): void {
    this.#record(TAKEN);
  }

  /** A blocking import returned a number and nothing else. */
  returned(value: number): void {
    this.#record([1, value]);
  }

  /** A call that is not made twice begins: told before it is made. */
  begins(op: string): void {
    this.#begun = op;
    this.#record([6, op]);
  }

  /** The call that is under way asks for this, to be done when its answer is held (TP4); at most {@link OUTPUTS_MAX} bytes. */
  asksFor(outputs: Uint8Array): void {
    this.#outputs = outputs;
  }

  /** A call on a capability returned. */
  answered(op: string, { value, payload }: CallResult): void {
    const outputs = this.#outputs;
    this.#outputs = undefined;
    this.#begun = undefined;
    const bytes = (payload?.length ?? 0) + (outputs?.length ?? 0);
    if (bytes > ANSWER_ALONE) this.flush();
    this.#record([5, op, value, payload ?? null, outputs ?? null], outputs);
    if (outputs !== undefined || bytes > ANSWER_ALONE) this.flush(outputs);
  }

  /** Everything told so far is to be held before the guest goes on: the number to wait for with {@link isHeld}. */
  awaitsHeld(): number {
    this.flush();
    this.#wantsHeld(++this.#asked);
    return this.#asked;
  }

  /** What was told before a number was given is held. */
  held(number: number): void {
    this.#held = Math.max(this.#held, number);
  }

  isHeld(number: number): boolean {
    return this.#held >= number;
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

  /** A checkpoint is taken just now: what is left to replay, without what it asked for, goes with it (TP4, TP6). */
  copied(): readonly TapeItem[] {
    if (!this.replaying) return [];
    const rest = this.#replay.slice(this.#at);
    this.#ahead = rest.filter(([kind]) => kind !== 4).length;
    return rest.map((item) => (item[0] === 5 ? [5, item[1], item[2], item[3], null] : item));
  }

  /** Tell what is recorded (TP2). */
  flush(outputs?: Uint8Array): void {
    if (this.#recorded.length === 0) return;
    const entry = inputsEntry(this.#recorded);
    this.#recorded = [];
    this.#randomBytes = 0;
    if (outputs === undefined) this.#told(entry);
    else this.#told(entry, outputs);
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

  /** `outputs`: what the item asked for, which goes with the entry that it fills (TP4). */
  #record(item: TapeItem, outputs?: Uint8Array): void {
    if (this.#ahead > 0) {
      this.#ahead--;
      return;
    }
    this.#recorded.push(item);
    if (item[0] === 3) this.#randomBytes += item[1].length;
    if (this.#recorded.length >= ITEMS_TOLD || this.#randomBytes >= RANDOM_MAX) this.flush(outputs);
  }
}
