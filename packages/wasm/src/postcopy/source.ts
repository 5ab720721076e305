/**
 * The sending side of post-copy: the guest stops, its state besides memory goes out, and its pages follow while it runs at the other
 * end, those it waits for first. With rounds of pre-copy before that, only what changed since is left to follow.
 *
 * OS1. After the first piece of `handOver` the guest may not run here until `cancel`; one that does is noticed and the stream ends.
 * OS2. Each page that was missing at the hand-over goes out exactly once. A page that is asked for goes out next, with those behind it.
 * OS3. What goes out unasked is bounded: at most `window` pushes that the other end has not said it took.
 * OS4. What the other end says is not trusted: its length is fixed, and pages that do not exist are refused.
 * OS5. The guest's memory is needed until `complete`; until then a failure here loses the guest at the other end.
 *
 * Post-copy with demand paging and active pushing that goes on from the last fault: Hines, Deshpande, Gopalan, Post-Copy Live Migration
 * of Virtual Machines, Operating Systems Review 43(3), 2009.
 */
import { createHash, type Hash } from "node:crypto";
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";
import type { DirtyMarks } from "../barrier/dirty-marks.ts";
import type { Tracking } from "../barrier/tracking.ts";
import type { WasmInstance } from "../engine/instance.ts";
import { BadLimitError, PostCopyCorruptError, PostCopyOrderError } from "../errors.ts";
import { PAGE_BYTES } from "../layout.ts";
import { FRAME_PAGES, MOST_ROUNDS, mark, PART } from "../precopy/format.ts";
import { framePieces } from "../precopy/page-frame.ts";
import { prefixOf, registersOf, roundHead } from "../precopy/parts.ts";
import { PieceMemory } from "../precopy/piece-memory.ts";
import { PartReader } from "../snapshot/part-reader.ts";
import {
  ANSWER,
  ANSWER_BYTES,
  MAP_BYTES_PER_PAGE,
  MOST_PUSH_PAGES,
  POST_PART,
  POSTCOPY_MAGIC,
  POSTCOPY_VERSION,
  PUSH_HEAD_BYTES,
} from "./format.ts";

/** How pages follow. */
export interface PostCopyOptions {
  /** With it, rounds of pre-copy can go before the hand-over. */
  readonly tracking?: Tracking;
  /** Pages of 4 KiB sent for one that is asked for, itself included: 1 to 256, default 16. */
  readonly readAhead?: number;
  /** Pages of one push that nobody asked for: 1 to 256, default 32. */
  readonly pushPages?: number;
  /** Such pushes on the way at a time: 1 to 1024, default 4. */
  readonly window?: number;
  /** Memory for pieces, which are given back to it when they were sent. Default: new memory for each. */
  readonly pieces?: PieceMemory;
}

const READ_AHEAD = 16;
const PUSH_PAGES = 32;
const WINDOW = 4;
const MOST_WINDOW = 1024;
/** Pages asked for and not yet sent. A guest waits for one, and its host calls for one after another. */
const MOST_WANTED = 64;

type State = "ready" | "sending" | "handed over" | "complete" | "broken";

/** A guest on its way out. */
export class PostCopySource {
  readonly #instance: WasmInstance;
  readonly #marks: DirtyMarks | undefined;
  readonly #readAhead: number;
  readonly #pushPages: number;
  readonly #window: number;
  readonly #pieces: PieceMemory;
  readonly #hash: Hash = createHash("sha256");
  readonly #parts: PartReader<this> = new PartReader(this, ANSWER_BYTES, this.#answer);
  #state: State = "ready";
  #round = 0;
  #steps = 0;
  /** After the hand-over: memory, and a byte for each page: 1 while it has not been sent. */
  #memory: Uint8Array = new Uint8Array();
  #unsent: Buffer = Buffer.alloc(0);
  #left = 0;
  #wanted: number[] = [];
  #cursor = 0;
  #sent = 0;
  #taken = 0;
  #ended = false;
  /** Pages of 64 KiB that the stream started with. */
  #announced: number | undefined;
  #prepared = false;

  /**
   * The guest must be suspended. With `tracking` it goes on in the module that marks its writes.
   * @throws BadLimitError, NotPendingError, InstanceEndedError, NotResidentError, AlreadyTrackedError, SnapshotMismatchError
   */
  constructor(instance: WasmInstance, options: PostCopyOptions = {}) {
    this.#readAhead = inRange("readAhead", options.readAhead ?? READ_AHEAD, MOST_PUSH_PAGES);
    this.#pushPages = inRange("pushPages", options.pushPages ?? PUSH_PAGES, MOST_PUSH_PAGES);
    this.#window = inRange("window", options.window ?? WINDOW, MOST_WINDOW);
    this.#pieces = options.pieces ?? new PieceMemory();
    this.#instance = instance;
    this.#marks = options.tracking === undefined ? undefined : instance.track(options.tracking);
  }

  /** Whether the other end has said that it set memory aside: worth waiting for before the hand-over, after {@link start}. */
  get prepared(): boolean {
    return this.#prepared;
  }

  /** Pages that were written since they were sent; without rounds, all of memory. O(pages of memory). */
  get dirtyPages(): number {
    return this.#round === 0 || this.#marks === undefined
      ? this.#instance.memoryBytes / SNAPSHOT_PAGE_BYTES
      : this.#marks.count;
  }

  /** Rounds that were sent whole. */
  get rounds(): number {
    return this.#round;
  }

  /** Pages that have not been sent since the hand-over. */
  get left(): number {
    return this.#left;
  }

  /** Whether the other end has every page: the guest here is of no use any more. */
  get complete(): boolean {
    return this.#state === "complete";
  }

  /**
   * The start of the stream, which the first round or the hand-over gives otherwise: sent while the guest runs on, it lets the other end
   * set memory aside before the guest stops. @throws PostCopyOrderError when the stream has started
   */
  start(): Uint8Array {
    if (this.#announced !== undefined) throw new PostCopyOrderError("the stream has started");
    const { hash, profile } = this.#instance.program;
    const pages = this.#instance.memoryBytes / PAGE_BYTES;
    this.#announced = pages;
    return this.#hashed(prefixOf([...POSTCOPY_MAGIC, POSTCOPY_VERSION], hash, profile, { pages }));
  }

  /**
   * One round of pre-copy before the hand-over, as `round` of a pre-copy: the guest may run between two pieces.
   * @throws PostCopyOrderError without `tracking`, after the hand-over, while a round is not over, or after 63
   */
  *round(): Generator<Uint8Array, void, undefined> {
    const marks = this.#marks;
    if (marks === undefined) throw new PostCopyOrderError("rounds need the module that tracks writes");
    this.#begin("ready", "sending");
    if (this.#round >= MOST_ROUNDS - 1) this.#break(`there were ${MOST_ROUNDS - 1} rounds`);
    const pages = this.#instance.memoryBytes / SNAPSHOT_PAGE_BYTES;
    yield this.#opened(PART.round);
    for (let block = 0; block * FRAME_PAGES < pages; block++) {
      for (const piece of this.#roundFrame(marks, block, pages)) yield this.#hashed(piece);
    }
    this.#round += 1;
    yield this.#sealed(Uint8Array.of(PART.end));
    this.#state = "ready";
  }

  /** The state besides memory, and which pages are missing (OS1). @throws PostCopyOrderError, NotPendingError */
  *handOver(): Generator<Uint8Array, void, undefined> {
    this.#begin("ready", "sending");
    const image = this.#instance.snapshot(true);
    this.#steps = this.#instance.steps;
    this.#memory = image.sections["memory"] as Uint8Array;
    yield this.#opened(POST_PART.handOver);
    yield this.#hashed(this.#missing());
    yield this.#hashed(registersOf(image));
    this.#requireStill();
    yield this.#sealed(Uint8Array.of(PART.end));
    this.#state = "handed over";
  }

  /**
   * What to send next: pages that are asked for, then others in bounds (OS3), at last the end of the stream, once. Undefined when there
   * is nothing to send before the other end says something.
   * @throws PostCopyOrderError when the guest ran, or the post-copy was given up
   */
  next(): Uint8Array | undefined {
    if (this.#state === "broken") throw new PostCopyOrderError("it was given up");
    if (this.#state !== "handed over") return undefined;
    this.#requireStill();
    for (let page = this.#wanted.shift(); page !== undefined; page = this.#wanted.shift())
      if (this.#unsent[page] === 1) return this.#push(page, this.#readAhead);
    if (this.#left === 0) return this.#end();
    if (this.#sent - this.#taken >= this.#window) return undefined;
    const next = this.#unsent.indexOf(1, this.#cursor);
    return this.#push(next < 0 ? this.#unsent.indexOf(1) : next, this.#pushPages);
  }

  /** What the other end says, in pieces of any size. @throws PostCopyCorruptError (OS4); nothing is sent after it */
  answered(piece: Uint8Array): void {
    try {
      for (let rest = piece; rest.length > 0; ) rest = this.#parts.take(rest);
    } catch (error) {
      this.#state = "broken";
      throw error;
    }
  }

  /**
   * Back into the module the guest came from; the stream is worth nothing. After the hand-over this is right only while it is certain
   * that the other end has not run the guest and never will. Idempotent. @throws BadResultError in a step
   */
  cancel(): void {
    if (this.#marks !== undefined) this.#instance.untrack(this.#marks);
    this.#state = "broken";
    this.#memory = new Uint8Array();
  }

  #begin(from: State, to: State): void {
    if (this.#state !== from)
      throw new PostCopyOrderError(
        this.#state === "sending" ? "the round before is not over" : `the guest is ${this.#state}`,
      );
    this.#state = to;
  }

  #break(problem: string): never {
    this.#state = "broken";
    throw new PostCopyOrderError(problem);
  }

  #requireStill(): void {
    if (this.#instance.steps !== this.#steps) this.#break("the guest ran after it was handed over");
  }

  #hashed(piece: Uint8Array): Uint8Array {
    this.#hash.update(piece);
    return piece;
  }

  /** `content` and the digest of everything up to it, which is then part of what later digests cover. */
  #sealed(...content: readonly Uint8Array[]): Uint8Array {
    for (const part of content) this.#hash.update(part);
    const digest = this.#hash.copy().digest();
    this.#hash.update(digest);
    const parts = [...content, digest];
    const whole = this.#pieces.take(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
      this.#pieces.give(part);
    }
    return whole;
  }

  /** The head of a round or of the hand-over, after the start of the stream if that was not sent. */
  #opened(part: number): Uint8Array {
    const start = this.#announced === undefined ? this.start() : new Uint8Array();
    const head = roundHead(part, this.#round + 1, this.#instance.memoryBytes);
    return Buffer.concat([start, this.#hashed(head)]);
  }

  #roundFrame(marks: DirtyMarks, block: number, pages: number): Generator<Uint8Array, void, undefined> {
    const all = this.#round === 0;
    const next = (page: number): number => (all ? page : marks.next(page));
    const end = Math.min((block + 1) * FRAME_PAGES, pages);
    const found: number[] = [];
    for (let page = next(block * FRAME_PAGES); page >= 0 && page < end; page = next(page + 1)) {
      marks.clear(page);
      found.push(page);
    }
    return framePieces(() => new Uint8Array(this.#instance.memory.buffer), block, found, !all, this.#pieces);
  }

  /** Which pages are missing, as a map of bits. */
  #missing(): Uint8Array {
    const pages = this.#memory.length / SNAPSHOT_PAGE_BYTES;
    const marks = this.#round === 0 ? undefined : this.#marks;
    const map = new Uint8Array((this.#memory.length / PAGE_BYTES) * MAP_BYTES_PER_PAGE);
    this.#unsent = Buffer.alloc(pages, marks === undefined ? 1 : 0);
    const next = (page: number): number => (marks === undefined ? page : marks.next(page));
    for (let page = next(0); page >= 0 && page < pages; page = next(page + 1)) {
      this.#unsent[page] = 1;
      this.#left += 1;
      mark(map, page);
    }
    return map;
  }

  /** Up to `most` unsent pages of a block, from `page` on (OS2). */
  #push(page: number, most: number): Uint8Array {
    const block = Math.floor(page / FRAME_PAGES);
    const end = Math.min((block + 1) * FRAME_PAGES, this.#unsent.length);
    const pages: number[] = [];
    for (let at = page; at >= 0 && at < end && pages.length < most; at = this.#unsent.indexOf(1, at + 1)) {
      this.#unsent[at] = 0;
      pages.push(at);
    }
    this.#left -= pages.length;
    this.#cursor = (pages.at(-1) as number) + 1;
    this.#sent += 1;
    const frame = framePieces(() => this.#memory, block, pages, true, this.#pieces);
    return this.#sealed(numbered(POST_PART.push, this.#sent), ...frame);
  }

  #end(): Uint8Array | undefined {
    if (this.#ended) return undefined;
    this.#ended = true;
    this.#sent += 1;
    return this.#sealed(numbered(POST_PART.complete, this.#sent));
  }

  #answer(bytes: Uint8Array): void {
    const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
    if (bytes[0] === ANSWER.wanted) this.#want(number);
    else if (bytes[0] === ANSWER.taken) this.#take(number);
    else if (bytes[0] === ANSWER.ready && number === this.#announced && !this.#prepared)
      this.#prepared = true;
    else throw new PostCopyCorruptError(`the destination says something of the kind ${bytes[0]}`);
  }

  #want(page: number): void {
    if (page >= this.#unsent.length) throw new PostCopyCorruptError(`there is no page ${page}`);
    if (this.#unsent[page] === 0) return;
    if (this.#wanted.length >= MOST_WANTED)
      throw new PostCopyCorruptError(`more than ${MOST_WANTED} pages are asked for at once`);
    this.#wanted.push(page);
  }

  #take(number: number): void {
    if (number !== this.#taken + 1 || number > this.#sent)
      throw new PostCopyCorruptError(`push ${number} is said to be taken after ${this.#taken}`);
    this.#taken = number;
    if (!this.#ended || number !== this.#sent) return;
    this.#state = "complete";
    this.#memory = new Uint8Array();
  }
}

function numbered(kind: number, number: number): Uint8Array {
  const bytes = new Uint8Array(PUSH_HEAD_BYTES);
  bytes[0] = kind;
  new DataView(bytes.buffer).setUint32(1, number, true);
  return bytes;
}

function inRange(name: string, value: number, most: number): number {
  if (!Number.isInteger(value) || value < 1 || value > most) throw new BadLimitError(name, value, 1, most);
  return value;
}
