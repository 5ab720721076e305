/**
 * `Blobs` in the memory of one process: for tests and simulations.
 *
 * M1. Nothing survives the process: a put is acknowledged as if it were durable, which it is not.
 */
import type { Blobs } from "@glia-os/abi/ports";
import { StoreClosedError } from "../errors.ts";
import { CheckedBlobs } from "./checked-blobs.ts";
import { type BlobLimits, blobLimits } from "./limits.ts";
import { type BlobRequest, named } from "./request.ts";
import { BlobRules } from "./rules.ts";
import type { BlobShelf } from "./shelf.ts";

/** What a blob store in memory is made from. */
export interface MemoryBlobsOptions {
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<BlobLimits>;
}

/** A blob store in memory. @throws `abi.malformed` for a bad limit. */
export function createMemoryBlobs(options: MemoryBlobsOptions = {}): Blobs {
  const limits = blobLimits(options.limits);
  const rules = new BlobRules(memoryShelf(), limits);
  let closed = false;
  const answerer = {
    async ask(request: BlobRequest) {
      if (closed) throw new StoreClosedError();
      return rules.perform(named(request));
    },
    async end() {
      closed = true;
    },
  };
  return new CheckedBlobs(answerer, limits.blobBytes);
}

function memoryShelf(): BlobShelf {
  const shelf = new Map<string, Uint8Array>();
  return {
    found: () => [],
    write: (hash, bytes) => void shelf.set(hash, bytes),
    read: (hash) => shelf.get(hash)?.slice() ?? { damage: "it is gone" },
    remove: (hash) => void shelf.delete(hash),
  };
}
