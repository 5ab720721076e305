/** The refusals of a store of keys, one class per failure. They survive a worker boundary as `store/errors.ts` says (R1). */
import type { GliaError } from "@glia-os/abi/errors";
import { StoreError } from "@glia-os/abi/errors/store";

/** A value larger than the limit. */
export class ValueTooLargeError extends StoreError<"store.value-too-large"> {
  constructor(bytes: number, limit: number) {
    super("store.value-too-large", `a value of ${bytes} bytes was refused: the most is ${limit}`, {
      details: { bytes, limit },
    });
  }
}

/** The store holds as many keys as its limit allows. */
export class TooManyKeysError extends StoreError<"store.too-many-keys"> {
  constructor(limit: number) {
    super("store.too-many-keys", `there are ${limit} keys already`, { details: { limit } });
  }
}

type Details = Readonly<Record<string, unknown>>;

/** The classes above by code, from the details of a record. */
export const REVIVE_KEYS = {
  "store.too-many-keys": (d: Details): GliaError => new TooManyKeysError(Number(d["limit"])),
  "store.value-too-large": (d: Details): GliaError =>
    new ValueTooLargeError(Number(d["bytes"]), Number(d["limit"])),
} as const;
