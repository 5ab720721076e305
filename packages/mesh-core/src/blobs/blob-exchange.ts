/**
 * Blobs between nodes: what this node has is given to members, and what it lacks is fetched from several at once
 * (docs/spec/blob-exchange.md).
 *
 * BE1. Two fetches of one blob are one.
 * BE2. At most {@link FETCHES_MAX} fetches run, {@link FETCHES_WAITING_MAX} wait.
 */
import type { NodeId } from "@glia-os/abi/ids";
import { MeshStoppedError } from "../errors.ts";
import type { CallHandler, CallOptions } from "../mesh-types.ts";
import { OverlayLimitError } from "../overlay-errors.ts";
import { BlobFetch, type BlobFetched } from "./blob-fetch.ts";
import { BlobSource, type BlobSourceOptions } from "./blob-source.ts";
import { BLOB_BYTES_MAX, BLOB_METHODS, HASHES_MAX, haveBody, readHaveAnswer } from "./messages.ts";

/** Fetches at once. */
export const FETCHES_MAX = 4;
/** Fetches that wait. */
export const FETCHES_WAITING_MAX = 256;

/** What the exchange works with. */
export interface BlobExchangeOptions extends BlobSourceOptions {
  readonly call: (
    node: NodeId,
    method: string,
    body: Uint8Array,
    options: CallOptions,
  ) => Promise<Uint8Array>;
}

/** Counts since the start. */
export interface BlobExchangeStats {
  readonly fetched: number;
  readonly failed: number;
  readonly chunks: number;
  readonly resumed: number;
  readonly wrong: number;
  readonly given: number;
}

/** The exchange of one node. */
export class BlobExchange {
  readonly #o: BlobExchangeOptions;
  readonly #source: BlobSource;
  readonly #open = new Map<string, Promise<Uint8Array>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #stopped = false;
  #stats = { fetched: 0, failed: 0, chunks: 0, resumed: 0, wrong: 0 };

  constructor(options: BlobExchangeOptions) {
    this.#o = options;
    this.#source = new BlobSource(options);
  }

  /** The methods to answer. */
  methods(): [string, CallHandler][] {
    return this.#source.methods();
  }

  /** Counts for people and meters. */
  stats(): BlobExchangeStats {
    return { ...this.#stats, given: this.#source.given };
  }

  /** Which of these blobs (at most {@link HASHES_MAX}) a node has. @throws what calls throw. */
  async has(node: NodeId, hashes: readonly string[]): Promise<boolean[]> {
    if (hashes.length > HASHES_MAX) throw new OverlayLimitError("blobs in one question", HASHES_MAX);
    const answer = await this.#o.call(node, BLOB_METHODS.have, haveBody(hashes), { timeoutMs: 5000 });
    return readHaveAnswer(answer, hashes.length);
  }

  /**
   * The bytes of a blob: from the own store, else from `sources` (the first 16 are asked), verified and stored. `maxBytes` is at most,
   * and by default, 64 MiB. @throws {BlobNotFoundError}; a later fetch goes on where this one ended. {OverlayLimitError} (BE2), and what
   * the store throws.
   */
  fetch(hash: string, sources: readonly NodeId[], maxBytes: number = BLOB_BYTES_MAX): Promise<Uint8Array> {
    const open = this.#open.get(hash);
    if (open !== undefined) return open;
    const fetching = this.#fetch(hash, sources, Math.min(maxBytes, BLOB_BYTES_MAX)).finally(() =>
      this.#open.delete(hash),
    );
    this.#open.set(hash, fetching);
    return fetching;
  }

  /** End: fetches fail, their verified chunks stay. */
  stop(): void {
    this.#stopped = true;
    this.#source.stop();
    for (const go of this.#waiting.splice(0)) go();
  }

  async #fetch(hash: string, sources: readonly NodeId[], maxBytes: number): Promise<Uint8Array> {
    if (this.#stopped) throw new MeshStoppedError();
    const own = await this.#o.blobs.get(hash).catch(() => undefined);
    if (own !== undefined) return own;
    await this.#admit();
    try {
      const { blobs, digests, call } = this.#o;
      const fetch = new BlobFetch({ blobs, digests, call, maxBytes, stopped: () => this.#stopped }, hash);
      return this.#count(await fetch.run(sources));
    } catch (error) {
      this.#stats.failed++;
      throw error;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  async #admit(): Promise<void> {
    if (this.#running < FETCHES_MAX) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= FETCHES_WAITING_MAX)
      throw new OverlayLimitError("fetches that wait", FETCHES_WAITING_MAX);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #count({ bytes, chunks, resumed, wrong }: BlobFetched): Uint8Array {
    this.#stats.fetched++;
    this.#stats.chunks += chunks;
    this.#stats.resumed += resumed;
    this.#stats.wrong += wrong;
    return bytes;
  }
}
