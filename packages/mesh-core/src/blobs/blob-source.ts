/**
 * Giving blobs to others (docs/spec/blob-exchange.md).
 *
 * BS1. Whoever names a blob by its hash and may ask gets it; a client may not unless the node says so.
 * BS2. A blob is read and verified once per series of chunks, not per chunk: at most {@link SERVED_BYTES_MAX} are held for that, and
 *      nothing after {@link SERVED_IDLE_MS} without a question.
 */
import { toHex } from "@glia-os/abi/ids";
import type { Blobs, Clock, Digests, TimerHandle, Timers } from "@glia-os/abi/ports";
import type { Caller, CallHandler } from "../mesh-types.ts";
import { BlobNotFoundError, NotServingError } from "../overlay-errors.ts";
import {
  BLOB_BYTES_MAX,
  BLOB_METHODS,
  CHUNK_BYTES,
  chunkCount,
  haveAnswer,
  outlineAnswer,
  readChunkBody,
  readHave,
  readOutlineBody,
} from "./messages.ts";

/** Bytes of blobs held while they are given. */
export const SERVED_BYTES_MAX = 134_217_728;
/** What nobody asked for during this time is let go, in milliseconds. */
export const SERVED_IDLE_MS = 30_000;

/** What giving takes. */
export interface BlobSourceOptions {
  readonly blobs: Blobs;
  readonly digests: Digests;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Who may ask; members may by default (BS1). */
  readonly allowed?: (caller: Caller, hash: string) => boolean;
}

interface Served {
  readonly bytes: Promise<Uint8Array>;
  size: number;
  usedMs: number;
  outline: Uint8Array | undefined;
}

/** The giving side of one node. */
export class BlobSource {
  readonly #o: BlobSourceOptions;
  readonly #served = new Map<string, Served>();
  #timer: TimerHandle | undefined;
  /** Chunks given. */
  given = 0;

  constructor(options: BlobSourceOptions) {
    this.#o = options;
  }

  /** The methods to answer. */
  methods(): [string, CallHandler][] {
    return [
      [BLOB_METHODS.have, (caller, body) => this.#have(caller, readHave(body))],
      [BLOB_METHODS.outline, (caller, body) => this.#outline(caller, readOutlineBody(body))],
      [BLOB_METHODS.chunk, (caller, body) => this.#chunk(caller, readChunkBody(body))],
    ];
  }

  /** Let everything go. */
  stop(): void {
    this.#timer?.cancel();
    this.#served.clear();
  }

  async #have(caller: Caller, hashes: readonly string[]): Promise<Uint8Array> {
    const held = await Promise.all(
      hashes.map(async (hash) => this.#may(caller, hash) && this.#o.blobs.has(hash)),
    );
    return haveAnswer(held);
  }

  async #outline(caller: Caller, hash: string): Promise<Uint8Array> {
    const served = this.#open(caller, hash);
    const bytes = await served.bytes;
    if (served.outline === undefined) {
      const chunks: string[] = [];
      for (let i = 0; i < chunkCount(bytes.length); i++)
        chunks.push(toHex(this.#o.digests.sha256(bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES))));
      served.outline = outlineAnswer({ bytes: bytes.length, chunks });
    }
    return served.outline;
  }

  async #chunk(
    caller: Caller,
    { hash, index }: { readonly hash: string; readonly index: number },
  ): Promise<Uint8Array> {
    const bytes = await this.#open(caller, hash).bytes;
    if (index >= chunkCount(bytes.length)) throw new BlobNotFoundError(hash, `it has no chunk ${index}`);
    this.given++;
    return bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
  }

  #may(caller: Caller, hash: string): boolean {
    return this.#o.allowed?.(caller, hash) ?? caller.role !== "client";
  }

  #open(caller: Caller, hash: string): Served {
    if (!this.#may(caller, hash)) throw new NotServingError("this blob to this caller");
    const known = this.#served.get(hash);
    const served = known ?? { bytes: this.#load(hash), size: 0, usedMs: 0, outline: undefined };
    served.usedMs = this.#o.clock.monotonicMs();
    this.#served.delete(hash);
    this.#served.set(hash, served);
    this.#timer ??= this.#o.timers.schedule(SERVED_IDLE_MS, () => this.#sweep());
    return served;
  }

  async #load(hash: string): Promise<Uint8Array> {
    try {
      const bytes = await this.#o.blobs.get(hash);
      if (bytes === undefined) throw new BlobNotFoundError(hash, "this node does not have it");
      if (bytes.length > BLOB_BYTES_MAX)
        throw new BlobNotFoundError(hash, `it has more than ${BLOB_BYTES_MAX} bytes`);
      const served = this.#served.get(hash);
      if (served !== undefined) served.size = bytes.length;
      this.#shrink(hash);
      return bytes;
    } catch (error) {
      this.#served.delete(hash);
      throw error;
    }
  }

  /** Let the least recently asked for go until the rest fits, but never the newest. */
  #shrink(newest: string): void {
    let total = 0;
    for (const { size } of this.#served.values()) total += size;
    for (const [hash, { size }] of this.#served) {
      if (total <= SERVED_BYTES_MAX || hash === newest) return;
      this.#served.delete(hash);
      total -= size;
    }
  }

  #sweep(): void {
    this.#timer = undefined;
    const before = this.#o.clock.monotonicMs() - SERVED_IDLE_MS;
    for (const [hash, { usedMs }] of this.#served) if (usedMs <= before) this.#served.delete(hash);
    if (this.#served.size > 0) this.#timer = this.#o.timers.schedule(SERVED_IDLE_MS, () => this.#sweep());
  }
}
