/**
 * The receiving side of pre-copy: takes the stream of {@link PreCopySource} piece by piece, from a peer that is not trusted, into the
 * memory of a guest that is there before it may run.
 *
 * PT1. Every declared size is checked against a limit before memory is set aside for it.
 * PT2. Rounds come in order, frames of a round in strictly rising order of their blocks; the digest that ends a round covers every
 *      byte before it, earlier rounds included. The digest detects damage and what was left out; it does not say who sent it.
 * PT3. No guest is handed out before the last digest matched and its state fits the program.
 * PT4. After a refusal the memory is given up and everything is refused.
 */
import { createHash, type Hash } from "node:crypto";
import type { EngineLimits, GuestHost, InstanceImage } from "@glia-os/abi/ports";
import type { Arrival } from "../engine/arrival.ts";
import type { WasmProgram } from "../engine/engine.ts";
import type { WasmInstance } from "../engine/instance.ts";
import { PreCopyCorruptError, PreCopyOrderError, SnapshotVersionError } from "../errors.ts";
import { PAGE_BYTES } from "../layout.ts";
import { PartReader } from "../snapshot/part-reader.ts";
import {
  DIGEST_BYTES,
  FRAME_HEAD_BYTES,
  MOST_HEADER_BYTES,
  MOST_REGISTER_BYTES,
  MOST_ROUNDS,
  PART,
  PRECOPY_MAGIC,
  PRECOPY_VERSION,
  PREFIX_BYTES,
  type PreCopyHeader,
  REGISTERS_HEAD_BYTES,
  ROUND_BYTES,
} from "./format.ts";
import { type FrameHead, placeFrame, readFrameHead } from "./page-frame.ts";
import { decodeHeader, decodeRegisters, type Registers } from "./parts.ts";

/** A guest on its way in. */
export class PreCopyTarget {
  readonly #program: WasmProgram;
  readonly #limits: Partial<EngineLimits>;
  readonly #host: GuestHost;
  readonly #hash: Hash = createHash("sha256");
  readonly #parts: PartReader<this> = new PartReader(this, PREFIX_BYTES, this.#prefix);
  #header: PreCopyHeader | undefined;
  #arrival: Arrival | undefined;
  #rounds = 0;
  #last = false;
  #block = -1;
  #frame: FrameHead | undefined;
  #registers: Registers | undefined;
  #done = false;
  #failed: unknown;

  /** Nothing is set aside before the first bytes come. */
  constructor(program: WasmProgram, limits: Partial<EngineLimits>, host: GuestHost) {
    this.#program = program;
    this.#limits = limits;
    this.#host = host;
  }

  /** Rounds whose digest matched. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Whether all of the guest is there. */
  get complete(): boolean {
    return this.#done;
  }

  /**
   * Take the next piece, of any size. Memory held: the guest's, and one frame of at most 1 MiB.
   * @throws PreCopyCorruptError, PreCopyOrderError, SnapshotVersionError, SnapshotMismatchError, MemoryLimitError, HostMemoryError
   */
  push(piece: Uint8Array): void {
    if (this.#failed !== undefined) throw this.#failed;
    try {
      let rest = piece;
      while (rest.length > 0) {
        if (this.#done) throw new PreCopyCorruptError("bytes follow its end");
        rest = this.#parts.take(rest);
      }
    } catch (error) {
      this.#give(error);
      throw error;
    }
  }

  /** The guest, at the place where it was stopped. Once. @throws what a push refused, PreCopyCorruptError, as restoring a snapshot */
  finish(): WasmInstance {
    if (this.#failed !== undefined) throw this.#failed;
    const [arrival, registers, header] = [this.#arrival, this.#registers, this.#header];
    if (!this.#done || arrival === undefined || registers === undefined || header === undefined)
      throw new PreCopyCorruptError("it ends too early");
    this.#failed = new PreCopyOrderError("the guest has been handed out");
    const moduleHash = Buffer.from(header.module).toString("hex");
    const image: InstanceImage = { moduleHash, profile: header.profile, ...registers };
    return arrival.complete(image);
  }

  /** Give the memory up; the source was told nothing. Idempotent, nothing after `finish`. */
  dispose(): void {
    if (this.#failed === undefined) this.#give(new PreCopyOrderError("the pre-copy has been given up"));
  }

  #give(error: unknown): void {
    this.#failed = error;
    this.#arrival?.dispose();
    this.#arrival = undefined;
    this.#registers = undefined;
    this.#parts.forget();
  }

  #prefix(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    if (PRECOPY_MAGIC.some((byte, at) => bytes[at] !== byte))
      throw new PreCopyCorruptError("it does not start as a pre-copy does");
    if (bytes[4] !== PRECOPY_VERSION) throw new SnapshotVersionError(bytes[4] as number, PRECOPY_VERSION);
    const length = viewOf(bytes).getUint32(5, true);
    if (length === 0 || length > MOST_HEADER_BYTES)
      throw new PreCopyCorruptError(`its header claims ${length} bytes`);
    this.#parts.expect(length, this.#headerBytes);
  }

  #headerBytes(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#header = decodeHeader(bytes, this.#program);
    this.#parts.expect(1, this.#kindOfRound);
  }

  /** Between rounds. */
  #kindOfRound(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const [kind] = bytes;
    if (kind !== PART.round && (kind !== PART.last || this.#rounds === 0))
      throw new PreCopyCorruptError(`a round starts with the kind ${kind}`);
    this.#last = kind === PART.last;
    this.#parts.expect(ROUND_BYTES - 1, this.#roundHead);
  }

  #roundHead(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const number = viewOf(bytes).getUint32(0, true);
    const pages = viewOf(bytes).getUint32(4, true);
    if (number !== this.#rounds + 1 || number > MOST_ROUNDS)
      throw new PreCopyCorruptError(`round ${number} follows ${this.#rounds} rounds`);
    if (this.#arrival === undefined) this.#arrival = this.#program.arrival(pages, this.#limits, this.#host);
    else this.#arrival.grow(pages);
    if (this.#arrival.memory.length !== pages * PAGE_BYTES)
      throw new PreCopyCorruptError(`its memory shrinks to ${pages} pages`);
    this.#block = -1;
    this.#parts.expect(1, this.#kindOfPart);
  }

  /** Within a round. */
  #kindOfPart(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const [kind] = bytes;
    const registered = this.#registers !== undefined;
    if (kind === PART.pages && !registered) this.#parts.expect(FRAME_HEAD_BYTES - 1, this.#frameHead);
    else if (kind === PART.registers && this.#last && !registered)
      this.#parts.expect(REGISTERS_HEAD_BYTES - 1, this.#registersHead);
    else if (kind === PART.end && registered === this.#last) this.#parts.expect(DIGEST_BYTES, this.#digest);
    else throw new PreCopyCorruptError(`a part has the kind ${kind}`);
  }

  #frameHead(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const head = readFrameHead(bytes, (this.#arrival as Arrival).memory.length);
    if (typeof head === "string") throw new PreCopyCorruptError(head);
    if (head.block <= this.#block) throw new PreCopyCorruptError("its frames are out of order");
    this.#block = head.block;
    this.#frame = head;
    if (head.length === 0) this.#payload(new Uint8Array());
    else this.#parts.expect(head.length, this.#payload, false);
  }

  #payload(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    placeFrame((this.#arrival as Arrival).memory, this.#frame as FrameHead, bytes);
    this.#parts.expect(1, this.#kindOfPart);
  }

  #registersHead(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const length = viewOf(bytes).getUint32(0, true);
    if (length === 0 || length > MOST_REGISTER_BYTES)
      throw new PreCopyCorruptError(`the state besides memory claims ${length} bytes`);
    this.#parts.expect(length, this.#registerBytes);
  }

  #registerBytes(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#registers = decodeRegisters(bytes);
    this.#parts.expect(1, this.#kindOfPart);
  }

  #digest(bytes: Uint8Array): void {
    if (!this.#hash.copy().digest().equals(bytes))
      throw new PreCopyCorruptError("a digest does not match what came before");
    this.#hash.update(bytes);
    this.#rounds += 1;
    this.#done = this.#last;
    this.#parts.expect(1, this.#kindOfRound);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
