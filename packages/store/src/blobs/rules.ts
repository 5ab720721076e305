/**
 * What a blob store accepts, whatever it is stored on (B1-B4 of the port).
 *
 * R1. A refused request has written nothing.
 * R2. Bytes leave only after their hash was computed again. What fails is known as damaged from then on: `has` denies it, `get`
 *     refuses it, and a put of the right bytes writes it anew.
 */
import { hash as digest } from "node:crypto";
import type { BlobInfo } from "@glia-os/abi/ports";
import { StoreFullError } from "../errors.ts";
import { BlobCorruptError, TooManyBlobsError } from "./errors.ts";
import type { BlobLimits } from "./limits.ts";
import type { BlobReply, NamedPut, NamedRequest } from "./request.ts";
import type { BlobShelf } from "./shelf.ts";

interface KeptBlob {
  readonly bytes: number;
  stamp: number;
  /** Why it is damaged, once that was seen. */
  damage: string | undefined;
}

/** Judges and performs requests on one shelf. */
export class BlobRules {
  readonly #shelf: BlobShelf;
  readonly #limits: BlobLimits;
  readonly #kept: Map<string, KeptBlob> = new Map();
  #bytes = 0;
  #stamp = 0;

  constructor(shelf: BlobShelf, limits: BlobLimits) {
    this.#shelf = shelf;
    this.#limits = limits;
    for (const { hash, bytes } of shelf.found()) this.#keep(hash, bytes);
  }

  /** Perform one request. @throws the refusals of the port. */
  perform(request: NamedRequest): BlobReply {
    switch (request.op) {
      case "put":
        return this.#put(request);
      case "get":
        return this.#get(request.hash);
      case "has":
        return !this.lacks(request.hash);
      case "list":
        return this.#list(request.after, request.limit);
      case "delete":
        return this.#delete(request.hash, request.stamp);
    }
  }

  /** Whether a blob is not there, or known to be damaged. */
  lacks(hash: string): boolean {
    const kept = this.#kept.get(hash);
    return kept === undefined || kept.damage !== undefined;
  }

  /** B1, B4. */
  #put({ bytes, hash }: NamedPut): string {
    const kept = this.#kept.get(hash);
    if (kept === undefined) this.#refuseBeyondLimits(bytes.length);
    if (this.lacks(hash)) this.#shelf.write(hash, bytes);
    this.#keep(hash, bytes.length);
    return hash;
  }

  /** B3, R2. */
  #get(hash: string): Uint8Array | undefined {
    const kept = this.#kept.get(hash);
    if (kept === undefined) return undefined;
    if (kept.damage !== undefined) throw new BlobCorruptError(hash, kept.damage);
    const read = this.#shelf.read(hash, kept.bytes);
    if ("damage" in read) kept.damage = read.damage;
    else if (digest("sha256", read, "hex") === hash) return read;
    kept.damage ??= "its bytes have another hash";
    throw new BlobCorruptError(hash, kept.damage);
  }

  #list(after: string, limit: number): readonly BlobInfo[] {
    const hashes = [...this.#kept.keys()].filter((hash) => hash > after).sort();
    return hashes.slice(0, limit).flatMap((hash) => {
      const kept = this.#kept.get(hash);
      return kept === undefined ? [] : [{ hash, bytes: kept.bytes, stamp: kept.stamp }];
    });
  }

  /** B4. */
  #delete(hash: string, stamp: number): boolean {
    const kept = this.#kept.get(hash);
    if (kept === undefined || kept.stamp !== stamp) return false;
    this.#shelf.remove(hash);
    this.#kept.delete(hash);
    this.#bytes -= kept.bytes;
    return true;
  }

  #keep(hash: string, bytes: number): void {
    this.#stamp += 1;
    this.#bytes += bytes - (this.#kept.get(hash)?.bytes ?? 0);
    this.#kept.set(hash, { bytes, stamp: this.#stamp, damage: undefined });
  }

  #refuseBeyondLimits(bytes: number): void {
    const { maxBlobs, maxBytes } = this.#limits;
    if (this.#kept.size >= maxBlobs) throw new TooManyBlobsError(maxBlobs);
    if (this.#bytes + bytes > maxBytes)
      throw new StoreFullError(`its blobs may take ${maxBytes} bytes in all`);
  }
}
