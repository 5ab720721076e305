/**
 * The sending side of pre-copy: a guest's memory goes out in rounds while the guest runs on in slices, then the guest stops and the
 * little that changed since goes out with the rest of its state.
 *
 * PS1. The first round holds all pages that are not zeros, each later one the pages written since they were last sent. A page's mark
 *      is taken off before the page is read, so what is written later is sent again.
 * PS2. Between two pieces of a round the guest may run. Between the first piece of `last` and the end it may not; one that does is
 *      noticed, and the stream stays without its end.
 * PS3. Until the caller disposes of it the guest is whole: `cancel` puts it back into the module without marks, at any time.
 * PS4. Memory beyond the guest: one piece of at most 128 KiB.
 * PS5. A round speaks of the memory that there was when it began. What the guest grows meanwhile belongs to the next one.
 *
 * Iterative copying and the rule when to stop: Clark et al., Live Migration of Virtual Machines, NSDI 2005. The numbers of the rule
 * are measured here: a guest that rewrites as much as fits in a round never gets below it.
 */
import { createHash, type Hash } from "node:crypto";
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";
import type { DirtyMarks } from "../barrier/dirty-marks.ts";
import type { Tracking } from "../barrier/tracking.ts";
import type { WasmInstance } from "../engine/instance.ts";
import { BadLimitError, PreCopyOrderError } from "../errors.ts";
import { FRAME_PAGES, MOST_ROUNDS, PART, PRECOPY_MAGIC, PRECOPY_VERSION } from "./format.ts";
import { framePieces } from "./page-frame.ts";
import { prefixOf, registersOf, roundHead } from "./parts.ts";
import { PieceMemory } from "./piece-memory.ts";

/** When a pre-copy has gone on for long enough. */
export interface PreCopyOptions {
  /** Most rounds before the last one, 1 to 63. Default 16. */
  readonly rounds?: number;
  /** Pages of 4 KiB that are few enough for the last round. 0 to 1,048,576, default 64. */
  readonly fewPages?: number;
  /** Memory for pieces, which are given back to it when they were sent. Default: new memory for each. */
  readonly pieces?: PieceMemory;
}

const ROUNDS = 16;
const FEW_PAGES = 64;
const MOST_FEW_PAGES = 1_048_576;
/** A round that leaves more than this part of what it sent is not worth another. */
const SHRINKING = 0.8;

/** A guest on its way out. */
export class PreCopySource {
  readonly #instance: WasmInstance;
  readonly #tracking: Tracking;
  readonly #marks: DirtyMarks;
  readonly #rounds: number;
  readonly #fewPages: number;
  readonly #pieces: PieceMemory;
  readonly #hash: Hash = createHash("sha256");
  /** The round that {@link next} reads. */
  #reading: Generator<Uint8Array, void, undefined> | undefined;
  #state: "ready" | "sending" | "sent" | "broken" = "ready";
  #round = 0;
  /** Pages of the round before: what the present dirty ones are compared with. */
  #sent = 0;
  /** Bytes of memory when the round began (PS5). */
  #memoryBytes = 0;

  /**
   * Start: the guest, which must be suspended, goes on in the module that marks its writes.
   * @throws BadLimitError, NotPendingError, InstanceEndedError, AlreadyTrackedError, SnapshotMismatchError when `tracking` is another program's
   */
  constructor(instance: WasmInstance, tracking: Tracking, options: PreCopyOptions = {}) {
    this.#rounds = inRange("rounds", options.rounds ?? ROUNDS, 1, MOST_ROUNDS - 1);
    this.#fewPages = inRange("fewPages", options.fewPages ?? FEW_PAGES, 0, MOST_FEW_PAGES);
    this.#pieces = options.pieces ?? new PieceMemory();
    this.#instance = instance;
    this.#tracking = tracking;
    this.#marks = instance.track(tracking);
  }

  /** Pages of 4 KiB that were written since they were sent. O(pages of memory). */
  get dirtyPages(): number {
    return this.#marks.count;
  }

  /** Rounds that were sent whole. */
  get rounds(): number {
    return this.#round;
  }

  /** Whether it is time for {@link last}: few pages are left, or rounds do not make them fewer, or there were enough. */
  get settled(): boolean {
    if (this.#round === 0) return false;
    const dirty = this.dirtyPages;
    return dirty <= this.#fewPages || dirty > SHRINKING * this.#sent || this.#round >= this.#rounds;
  }

  /**
   * The next piece of the rounds before the last one; undefined when it is time for {@link last}. As {@link round} for those who send piece by piece
   * and do not care where rounds end. @throws as {@link round}
   */
  next(): Uint8Array | undefined {
    while (!this.settled || this.#reading !== undefined) {
      this.#reading ??= this.round();
      const { done, value } = this.#reading.next();
      if (done !== true) return value;
      this.#reading = undefined;
    }
    return undefined;
  }

  /**
   * One round, in pieces of at most 128 KiB. The guest may run between two pieces, but must be suspended
   * whenever the next one is asked for. The round is over when the generator is.
   * @throws PreCopyOrderError when another round is not over, or there were 63
   */
  *round(): Generator<Uint8Array, void, undefined> {
    this.#begin();
    if (this.#round > MOST_ROUNDS - 1)
      this.#break(`there were ${MOST_ROUNDS - 1} rounds; only the last is left`);
    const { hash, profile } = this.#tracking;
    if (this.#round === 1) yield this.#hashed(prefixOf([...PRECOPY_MAGIC, PRECOPY_VERSION], hash, profile));
    yield this.#hashed(this.#head(PART.round));
    yield* this.#frames();
    yield this.#sealed();
    this.#state = "ready";
  }

  /**
   * The last round: the pages written since, and the rest of the state. The guest does not run meanwhile, and not after it unless
   * {@link cancel} was called. @throws PreCopyOrderError before the first round, or when the guest ran
   */
  *last(): Generator<Uint8Array, void, undefined> {
    if (this.#round === 0) throw new PreCopyOrderError("the last round was asked for before the first");
    this.#begin();
    const { steps } = this.#instance;
    const image = this.#instance.snapshot(true);
    yield this.#hashed(this.#head(PART.last));
    yield* this.#frames();
    yield this.#hashed(registersOf(image));
    if (this.#instance.steps !== steps) this.#break("the guest ran in the last round");
    yield this.#sealed();
    this.#state = "sent";
  }

  /** Back into the module without marks. The stream so far is worth nothing. Idempotent. @throws BadResultError in a step */
  cancel(): void {
    this.#instance.untrack(this.#marks);
    this.#state = "broken";
  }

  #begin(): void {
    if (this.#state !== "ready")
      throw new PreCopyOrderError(
        this.#state === "sending" ? "the round before is not over" : "the pre-copy is over",
      );
    this.#state = "sending";
    this.#round += 1;
    this.#memoryBytes = this.#instance.memoryBytes;
  }

  #break(problem: string): never {
    this.#state = "broken";
    throw new PreCopyOrderError(problem);
  }

  #hashed(piece: Uint8Array): Uint8Array {
    this.#hash.update(piece);
    return piece;
  }

  /** The end of a round: the digest of everything so far, which is then part of what later digests cover. */
  #sealed(): Uint8Array {
    this.#hash.update(Uint8Array.of(PART.end));
    const digest = this.#hash.copy().digest();
    this.#hash.update(digest);
    return Buffer.concat([Uint8Array.of(PART.end), digest]);
  }

  #head(part: number): Uint8Array {
    return roundHead(part, this.#round, this.#memoryBytes);
  }

  /** Frames up to the size that memory had when the round began (PS5). */
  *#frames(): Generator<Uint8Array, void, undefined> {
    const pages = this.#memoryBytes / SNAPSHOT_PAGE_BYTES;
    const all = this.#round === 1;
    this.#sent = 0;
    for (let block = 0; block * FRAME_PAGES < pages; block++) {
      for (const piece of this.#frame(block, all)) yield this.#hashed(piece);
    }
  }

  #frame(block: number, all: boolean): Generator<Uint8Array, void, undefined> {
    const memory = (): Uint8Array => new Uint8Array(this.#instance.memory.buffer);
    const end = Math.min((block + 1) * FRAME_PAGES, this.#memoryBytes / SNAPSHOT_PAGE_BYTES);
    const pages: number[] = [];
    for (
      let page = this.#next(block * FRAME_PAGES, all);
      page >= 0 && page < end;
      page = this.#next(page + 1, all)
    ) {
      this.#marks.clear(page);
      pages.push(page);
    }
    this.#sent += pages.length;
    // Nothing has been sent of memory before the first round: zeros are what is there.
    return framePieces(memory, block, pages, !all, this.#pieces);
  }

  #next(page: number, all: boolean): number {
    return all ? page : this.#marks.next(page);
  }
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new BadLimitError(name, value, least, most);
  return value;
}
