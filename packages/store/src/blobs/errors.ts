/** The refusals of a blob store, one class per failure. They survive a worker boundary as `store/errors.ts` says (R1). */
import type { GliaError } from "@glia-os/abi/errors";
import { StoreError } from "@glia-os/abi/errors/store";

/** The bytes of a blob are not those of its hash any more. */
export class BlobCorruptError extends StoreError<"store.blob-corrupt"> {
  constructor(hash: string, why: string) {
    super("store.blob-corrupt", `blob ${hash} is damaged: ${why}`, { details: { hash, why } });
  }
}

/** A blob larger than the limit. */
export class BlobTooLargeError extends StoreError<"store.blob-too-large"> {
  constructor(bytes: number, limit: number) {
    super("store.blob-too-large", `a blob of ${bytes} bytes was refused: the most is ${limit}`, {
      details: { bytes, limit },
    });
  }
}

/** The store holds as many blobs as its limit allows. */
export class TooManyBlobsError extends StoreError<"store.too-many-blobs"> {
  constructor(limit: number) {
    super("store.too-many-blobs", `there are ${limit} blobs already`, { details: { limit } });
  }
}

type Details = Readonly<Record<string, unknown>>;

/** The classes above by code, from the details of a record. */
export const REVIVE_BLOBS = {
  "store.blob-corrupt": (d: Details): GliaError => new BlobCorruptError(String(d["hash"]), String(d["why"])),
  "store.blob-too-large": (d: Details): GliaError =>
    new BlobTooLargeError(Number(d["bytes"]), Number(d["limit"])),
  "store.too-many-blobs": (d: Details): GliaError => new TooManyBlobsError(Number(d["limit"])),
} as const;
