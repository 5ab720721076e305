/**
 * The receiving side of post-copy, in the thread that has the connection: takes the stream of {@link PostCopySource} piece by piece,
 * from a peer that is not trusted, into memory that it shares with the thread of the guest.
 *
 * OT1. Every declared size is checked against a limit before memory is set aside for it.
 * OT2. After the hand-over a page is written only when the digest that covers it and every byte before it matched, and when it was
 *      missing: no page comes twice, and a guest never sees one that was damaged on the way.
 * OT3. The guest is lost (residence.ts, RE1) when the stream breaks one of these rules, or when `lose` or `dispose` is called: by its
 *      owner, whose clock decides how long the source may be silent. Once every page is there it cannot be lost any more.
 * OT4. Memory held: the guest's, two bytes for each of its pages, and one push of at most 1 MiB.
 */
import { createHash, type Hash } from "node:crypto";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { EngineLimits } from "@glia-os/abi/ports";
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";
import type { WasmProgram } from "../engine/engine.ts";
import { PostCopyCorruptError, PostCopyOrderError, SnapshotVersionError } from "../errors.ts";
import { PAGE_BYTES } from "../layout.ts";
import {
  DIGEST_BYTES,
  FRAME_HEAD_BYTES,
  MOST_HEADER_BYTES,
  MOST_REGISTER_BYTES,
  MOST_ROUNDS,
  marked,
  PART,
  PREFIX_BYTES,
  REGISTERS_HEAD_BYTES,
  ROUND_BYTES,
} from "../precopy/format.ts";
import { type FrameHead, pagesOf, placeFrame, readFrameHead } from "../precopy/page-frame.ts";
import { decodePostHeader, decodeRegisters, type Registers } from "../precopy/parts.ts";
import { PartReader } from "../snapshot/part-reader.ts";
import type { LinearMemory } from "../web-assembly.ts";
import type { PostCopyHandover } from "./arrival-state.ts";
import {
  ANSWER,
  ANSWER_BYTES,
  MAP_BYTES_PER_PAGE,
  POST_PART,
  POSTCOPY_MAGIC,
  POSTCOPY_VERSION,
  PUSH_HEAD_BYTES,
} from "./format.ts";
import { MissingPages } from "./missing-pages.ts";

/** A guest on its way in. */
export class PostCopyTarget {
  readonly #program: WasmProgram;
  readonly #limits: Partial<EngineLimits>;
  readonly #say: (answer: Uint8Array) => void;
  readonly #hash: Hash = createHash("sha256");
  readonly #parts: PartReader<this> = new PartReader(this, PREFIX_BYTES, this.#prefix);
  readonly #channel: MessageChannel = new MessageChannel();
  #header: ReturnType<typeof decodePostHeader> | undefined;
  #room: LinearMemory | undefined;
  #rounds = 0;
  #block = -1;
  #frame: FrameHead | undefined;
  #map: Uint8Array | undefined;
  #registers: Registers | undefined;
  #missing: MissingPages | undefined;
  #pushes = 0;
  #done = false;
  #taken = false;
  #failed: unknown;

  /** `say` sends bytes to the source, which takes them with `answered`. Nothing is set aside before the first bytes come. */
  constructor(program: WasmProgram, limits: Partial<EngineLimits>, say: (answer: Uint8Array) => void) {
    this.#program = program;
    this.#limits = limits;
    this.#say = say;
  }

  /** Rounds of pre-copy whose digest matched. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Whether the guest was handed over: it can be taken and run. */
  get handedOver(): boolean {
    return this.#missing !== undefined;
  }

  /** Pages that are missing. */
  get left(): number {
    return this.#missing?.left ?? 0;
  }

  /** Whether every page is there: the source is not needed any more. */
  get complete(): boolean {
    return this.#done;
  }

  /**
   * Take the next piece, of any size.
   * @throws PostCopyCorruptError, PostCopyOrderError, SnapshotVersionError, SnapshotMismatchError, MemoryLimitError, HostMemoryError;
   * then the guest is lost if it was handed over
   */
  push(piece: Uint8Array): void {
    if (this.#failed !== undefined) throw this.#failed;
    try {
      let rest = piece;
      while (rest.length > 0) {
        if (this.#done) throw new PostCopyCorruptError("bytes follow its end");
        rest = this.#parts.take(rest);
      }
    } catch (error) {
      this.#give(error);
      throw error;
    }
  }

  /**
   * What the thread of the guest needs for `arrive` of its program: to be posted there with `port` in the transfer list. Once.
   * @throws what a push refused, PostCopyOrderError before the hand-over and the second time
   */
  take(): PostCopyHandover {
    if (this.#failed !== undefined) throw this.#failed;
    const [missing, header, registers, room] = [this.#missing, this.#header, this.#registers, this.#room];
    if (
      missing === undefined ||
      header === undefined ||
      registers === undefined ||
      room === undefined ||
      this.#taken
    )
      throw new PostCopyOrderError(this.#taken ? "the guest was taken" : "the guest was not handed over yet");
    this.#taken = true;
    const moduleHash = Buffer.from(header.module).toString("hex");
    const { absent, control } = missing;
    const image = { moduleHash, profile: header.profile, ...registers };
    return { memory: room, absent, control, port: this.#channel.port2 as MessagePort, image };
  }

  /** The source is gone, or silent for too long: the guest is given up unless every page is there. Idempotent. */
  lose(): void {
    if (this.#failed === undefined && !this.#done)
      this.#give(new PostCopyOrderError("the guest was given up"));
  }

  /** As `lose`, and nothing more is taken. Idempotent. */
  dispose(): void {
    this.lose();
    this.#channel.port1.close();
  }

  #give(error: unknown): void {
    this.#failed = error;
    this.#missing?.lose();
    this.#channel.port1.close();
    this.#room = undefined;
    this.#registers = undefined;
    this.#parts.forget();
  }

  #prefix(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    if (POSTCOPY_MAGIC.some((byte, at) => bytes[at] !== byte))
      throw new PostCopyCorruptError("it does not start as a post-copy does");
    if (bytes[4] !== POSTCOPY_VERSION) throw new SnapshotVersionError(bytes[4] as number, POSTCOPY_VERSION);
    const length = viewOf(bytes).getUint32(5, true);
    if (length === 0 || length > MOST_HEADER_BYTES)
      throw new PostCopyCorruptError(`its header claims ${length} bytes`);
    this.#parts.expect(length, this.#headerBytes);
  }

  #headerBytes(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#header = decodePostHeader(bytes, this.#program);
    this.#room = this.#program.sharedRoom(this.#header.pages, this.#limits);
    this.#answer(ANSWER.ready, this.#header.pages);
    this.#parts.expect(1, this.#kindOfRound);
  }

  /** Before the hand-over, between rounds. */
  #kindOfRound(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const [kind] = bytes;
    if (kind !== PART.round && kind !== POST_PART.handOver)
      throw new PostCopyCorruptError(`a round starts with the kind ${kind}`);
    this.#parts.expect(ROUND_BYTES - 1, kind === PART.round ? this.#roundHead : this.#handOverHead);
  }

  #roundHead(bytes: Uint8Array): void {
    this.#makeRoom(bytes);
    this.#block = -1;
    this.#parts.expect(1, this.#kindOfPart);
  }

  #handOverHead(bytes: Uint8Array): void {
    const pages = this.#makeRoom(bytes);
    this.#parts.expect(pages * MAP_BYTES_PER_PAGE, this.#mapBytes);
  }

  /** Memory as large as the head of a round says. */
  #makeRoom(bytes: Uint8Array): number {
    this.#hash.update(bytes);
    const [number, pages] = [viewOf(bytes).getUint32(0, true), viewOf(bytes).getUint32(4, true)];
    if (number !== this.#rounds + 1 || number > MOST_ROUNDS)
      throw new PostCopyCorruptError(`round ${number} follows ${this.#rounds} rounds`);
    this.#room = this.#program.sharedRoom(pages, this.#limits, this.#room);
    if (this.#room.buffer.byteLength !== pages * PAGE_BYTES)
      throw new PostCopyCorruptError(`its memory shrinks to ${pages} pages`);
    return pages;
  }

  /** Within a round. */
  #kindOfPart(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const [kind] = bytes;
    if (kind === PART.pages) this.#parts.expect(FRAME_HEAD_BYTES - 1, this.#frameHead);
    else if (kind === PART.end) this.#parts.expect(DIGEST_BYTES, this.#roundDigest);
    else throw new PostCopyCorruptError(`a part has the kind ${kind}`);
  }

  #frameHead(bytes: Uint8Array): void {
    const frame = this.#readHead(bytes);
    if (frame.block <= this.#block) throw new PostCopyCorruptError("its frames are out of order");
    this.#block = frame.block;
    if (frame.length === 0) this.#roundPages(new Uint8Array());
    else this.#parts.expect(frame.length, this.#roundPages, false);
  }

  #readHead(bytes: Uint8Array): FrameHead {
    this.#hash.update(bytes);
    const frame = readFrameHead(bytes, this.#memory.length);
    if (typeof frame === "string") throw new PostCopyCorruptError(frame);
    this.#frame = frame;
    return frame;
  }

  /** No guest runs yet: pages of rounds go straight into memory. */
  #roundPages(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    placeFrame(this.#memory, this.#frame as FrameHead, bytes);
    this.#parts.expect(1, this.#kindOfPart);
  }

  #roundDigest(bytes: Uint8Array): void {
    this.#requireDigest(bytes);
    this.#rounds += 1;
    this.#parts.expect(1, this.#kindOfRound);
  }

  #mapBytes(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#map = bytes.slice();
    this.#parts.expect(REGISTERS_HEAD_BYTES, this.#registersHead);
  }

  #registersHead(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const length = viewOf(bytes).getUint32(1, true);
    if (bytes[0] !== PART.registers || length === 0 || length > MOST_REGISTER_BYTES)
      throw new PostCopyCorruptError(`the state besides memory claims ${length} bytes`);
    this.#parts.expect(length, this.#registerBytes);
  }

  #registerBytes(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#registers = decodeRegisters(bytes, PostCopyCorruptError);
    this.#parts.expect(1 + DIGEST_BYTES, this.#handOverDigest);
  }

  #handOverDigest(bytes: Uint8Array): void {
    if (bytes[0] !== PART.end) throw new PostCopyCorruptError(`a part has the kind ${bytes[0]}`);
    this.#hash.update(bytes.subarray(0, 1));
    this.#requireDigest(bytes.subarray(1));
    const map = this.#map as Uint8Array;
    const pages = this.#memory.length / SNAPSHOT_PAGE_BYTES;
    this.#missing = new MissingPages(
      pages,
      (page) => marked(map, page),
      this.#channel.port1,
      (page) => this.#answer(ANSWER.wanted, page),
    );
    this.#parts.expect(PUSH_HEAD_BYTES, this.#pushHead);
  }

  /** After the hand-over, between pushes. */
  #pushHead(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const number = viewOf(bytes).getUint32(1, true);
    if (number !== this.#pushes + 1) throw new PostCopyCorruptError(`push ${number} follows ${this.#pushes}`);
    if (bytes[0] === POST_PART.push) this.#parts.expect(FRAME_HEAD_BYTES, this.#pushFrame);
    else if (bytes[0] === POST_PART.complete && this.left === 0)
      this.#parts.expect(DIGEST_BYTES, this.#lastDigest);
    else throw new PostCopyCorruptError(`a push has the kind ${bytes[0]} with ${this.left} pages missing`);
  }

  #pushFrame(bytes: Uint8Array): void {
    this.#hash.update(bytes.subarray(0, 1));
    const frame = this.#readHead(bytes.subarray(1));
    const pages = pagesOf(frame);
    if (bytes[0] !== PART.pages || pages.length === 0 || !pages.every((page) => this.#missing?.has(page)))
      throw new PostCopyCorruptError("a push holds a page that is not missing, or none");
    this.#parts.expect(frame.length + DIGEST_BYTES, this.#pushPages, false);
  }

  #pushPages(bytes: Uint8Array): void {
    const frame = this.#frame as FrameHead;
    const payload = bytes.subarray(0, frame.length);
    this.#hash.update(payload);
    this.#requireDigest(bytes.subarray(frame.length));
    placeFrame(this.#memory, frame, payload);
    this.#missing?.came(pagesOf(frame));
    this.#acknowledge();
  }

  #lastDigest(bytes: Uint8Array): void {
    this.#requireDigest(bytes);
    this.#done = true;
    this.#acknowledge();
    this.#missing?.settle();
  }

  #acknowledge(): void {
    this.#pushes += 1;
    this.#answer(ANSWER.taken, this.#pushes);
    this.#parts.expect(PUSH_HEAD_BYTES, this.#pushHead);
  }

  #answer(kind: number, number: number): void {
    const bytes = new Uint8Array(ANSWER_BYTES);
    bytes[0] = kind;
    viewOf(bytes).setUint32(1, number, true);
    this.#say(bytes);
  }

  #requireDigest(bytes: Uint8Array): void {
    if (!this.#hash.copy().digest().equals(bytes))
      throw new PostCopyCorruptError("a digest does not match what came before");
    this.#hash.update(bytes);
  }

  get #memory(): Uint8Array {
    return new Uint8Array((this.#room as LinearMemory).buffer);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
