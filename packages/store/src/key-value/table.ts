/** What the rules of keys need kept, and nothing more. Synchronous; durability is the business of whoever commits around it. */
import type { KeyInfo } from "@glia-os/abi/ports";
import type { VersionedValue } from "./request.ts";

/** Values by key. A write is visible to every later call. */
export interface KeyTable {
  /** How many keys there are, and the bytes of their values. */
  totals(): { readonly keys: number; readonly bytes: number };
  /** The next version: larger than every one before, also across a crash (KV2). */
  nextVersion(): number;
  /** Version and size of a key, without its value. */
  info(key: string): KeyInfo | undefined;
  /** The value of a key, checked against its checksum. @throws `store.corrupt`. */
  value(key: string): VersionedValue | undefined;
  put(key: string, value: Uint8Array, version: number): void;
  delete(key: string): void;
  /** Keys that start with `prefix` after `after`, by code points. */
  list(prefix: string, after: string, limit: number): readonly KeyInfo[];
}
