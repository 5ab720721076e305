/**
 * Large values of one domain: kept as blobs while its records are written, found again while they are read.
 *
 * LV1. Who appends a record awaits {@link LargeValues.takePuts} before: a record never names a blob that is not durable.
 * LV2. A blob that is not there, or is damaged, is an error that names it. No value is put together from other bytes.
 * LV3. A value is always put again, also when it is known to be there: the new stamp keeps a collector from removing it (docs/spec/blobs.md).
 */
import type { Blobs } from "@glia-os/abi/ports";
import { chunksOf } from "./content-chunks.ts";
import type { Sha256 } from "./derived-random.ts";
import { ValueMissingError } from "./errors.ts";
import { joined } from "./joined.ts";
import { hexOf, partsOf } from "./kept-value.ts";
import { KEPT_BYTES, type ValueKeeper, type ValueSource } from "./record.ts";

/** The first bytes of tag 40000 in the shortest form: every reference of a record begins with them. */
const MARK = [0xd9, 0x9c, 0x40] as const;
/** Heads of a byte string of 32 to 65,535 bytes: its length takes one byte or two. */
const LENGTH_BYTES: Readonly<Record<number, number>> = { 88: 1, 89: 2, 90: 4 };
const HASH_BYTES = 32;

/** Keeps and finds the large values of a domain. */
export class LargeValues implements ValueKeeper, ValueSource {
  readonly #domain: string;
  readonly #blobs: Pick<Blobs, "get" | "put">;
  readonly #digests: Sha256;
  /** Encoded values that were just kept or loaded, by their hashes, or why one could not be. */
  readonly #held = new Map<string, Uint8Array | ValueMissingError>();
  #puts: Promise<unknown>[] = [];

  constructor(domain: string, blobs: Pick<Blobs, "get" | "put">, digests: Sha256) {
    this.#domain = domain;
    this.#blobs = blobs;
    this.#digests = digests;
  }

  keep(encoded: Uint8Array): Uint8Array {
    const chunks = chunksOf(encoded);
    const hashes = joined(chunks.map((chunk) => this.#digests.sha256(chunk)));
    const puts = Promise.all(chunks.map((chunk) => this.#blobs.put(chunk)));
    puts.catch(() => {});
    this.#puts.push(puts);
    this.#held.set(hexOf(hashes), encoded);
    return hashes;
  }

  encodedOf(hashes: Uint8Array): Uint8Array {
    const held = this.#held.get(hexOf(hashes));
    if (held instanceof Uint8Array) return held;
    throw held ?? new ValueMissingError(this.#domain, partsOf(hashes)[0] as string, "it was not loaded");
  }

  /** What was put since the last time, settling when it is durable (LV1); undefined for nothing. What was kept is no longer held. */
  takePuts(): Promise<unknown> | undefined {
    this.#held.clear();
    if (this.#puts.length === 0) return undefined;
    return Promise.all(this.#puts.splice(0));
  }

  /**
   * Load what the records of a body refer to, in place of what was loaded before; what cannot be loaded is an error for who asks for it
   * ({@link encodedOf}). O(bytes).
   */
  async load(body: Uint8Array): Promise<void> {
    this.#held.clear();
    for (const hashes of referencesOf(body)) this.#held.set(hexOf(hashes), await this.#loaded(hashes));
  }

  async #loaded(hashes: Uint8Array): Promise<Uint8Array | ValueMissingError> {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (const hash of partsOf(hashes)) {
      const part = await this.#part(hash);
      if (part instanceof ValueMissingError) return part;
      bytes += part.length;
      if (bytes > KEPT_BYTES)
        return new ValueMissingError(this.#domain, hash, `the value takes more than ${KEPT_BYTES} bytes`);
      parts.push(part);
    }
    return joined(parts);
  }

  async #part(hash: string): Promise<Uint8Array | ValueMissingError> {
    try {
      const blob = await this.#blobs.get(hash);
      return blob ?? new ValueMissingError(this.#domain, hash, "no such blob is there");
    } catch (error) {
      return new ValueMissingError(this.#domain, hash, (error as Error).message);
    }
  }
}

/** For who has no blobs: every value that is kept as blobs is missing. */
export function noValues(domain: string): ValueSource {
  return {
    encodedOf: (hashes) => {
      throw new ValueMissingError(domain, partsOf(hashes)[0] as string, "no blobs are given here");
    },
  };
}

/** What could be references in the bytes of records, without decoding them: all there are, and what only looks like one. */
export function* referencesOf(body: Uint8Array): Generator<Uint8Array, void> {
  for (let at = body.indexOf(MARK[0]); at >= 0; at = body.indexOf(MARK[0], at + 1)) {
    if (body[at + 1] !== MARK[1] || body[at + 2] !== MARK[2]) continue;
    const lengthBytes = LENGTH_BYTES[body[at + 3] as number];
    if (lengthBytes === undefined) continue;
    const start = at + 4 + lengthBytes;
    let length = 0;
    for (let i = at + 4; i < start; i++) length = length * 256 + (body[i] as number);
    if (length > 0 && length % HASH_BYTES === 0 && start + length <= body.length)
      yield body.subarray(start, start + length);
  }
}

/** Whether the records of a body may refer to blobs. O(bytes), at the speed of a search for one byte. */
export function namesValues(body: Uint8Array): boolean {
  return referencesOf(body).next().done !== true;
}
