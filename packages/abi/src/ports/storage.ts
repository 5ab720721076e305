/**
 * Bytes at rest as ports: blobs by content and keys with values (docs/spec/blobs.md, docs/spec/key-value.md).
 *
 * B1. A blob is named by the SHA-256 of its bytes. Storing the same bytes twice is one blob.
 * B2. A blob is durable when `put` resolved, and stays until it is deleted.
 * B3. `get` gives the bytes that belong to the hash, refuses by name, or says that there are none; never other bytes.
 * B4. `delete` removes a blob only under the stamp it was listed with: one that was put again since stays.
 * KV1. A key changes only if the stored version is the expected one.
 * KV2. A version is given once in a store: every change of any key has a larger one, also after deletions and reopenings.
 * KV3. A change is there whole or not at all, and is durable when its promise resolved.
 */

/** A blob as it is listed. */
export interface BlobInfo {
  /** SHA-256 of its bytes, 64 hexadecimal digits in lower case. */
  readonly hash: string;
  /** Its size. */
  readonly bytes: number;
  /** Changes when the same bytes are put again. Of no meaning after the store was closed. */
  readonly stamp: number;
}

/**
 * Content-addressed storage.
 *
 * Who collects garbage lists the blobs first, waits until whoever put one before that has written down its reference, reads
 * all references, and deletes what none names under the stamp of the listing (B4).
 */
export interface Blobs {
  /**
   * Store bytes; returns their SHA-256 as hexadecimal once they are durable (B2). No bytes at all are a blob too. The bytes are
   * the caller's again when the call returned. A put repairs a damaged blob.
   * @throws `store.blob-too-large`, `store.too-many-blobs`, `store.full`, `abi.malformed`.
   */
  put(bytes: Uint8Array): Promise<string>;
  /** The bytes with this hash, verified, or `undefined`. @throws `store.blob-corrupt` when they are damaged (B3). */
  get(hash: string): Promise<Uint8Array | undefined>;
  /** Whether the blob is there and not known to be damaged. */
  has(hash: string): Promise<boolean>;
  /** Blobs with a hash after `after` (a hash, or "" for the first) in ascending order, at most `limit` (1 to 10,000). */
  list(after: string, limit: number): Promise<readonly BlobInfo[]>;
  /** Remove a blob if its stamp is still the one it was listed with (B4). Returns whether it did. */
  delete(hash: string, stamp: number): Promise<boolean>;
  /** Answer what was asked before, then release files. Idempotent. */
  close(): Promise<void>;
}

/** A key as it is listed. */
export interface KeyInfo {
  readonly key: string;
  readonly version: number;
  /** Size of the value. */
  readonly bytes: number;
}

/**
 * Small values by key, with versions. A key is 1 to 512 bytes of well-formed UTF-8 without control characters. A caller that does
 * not know whether its change happened reads the key again: the version tells (KV2).
 */
export interface KeyValue {
  /** The value and its version, or `undefined`. @throws `store.corrupt` when it is damaged. */
  get(key: string): Promise<{ readonly value: Uint8Array; readonly version: number } | undefined>;
  /**
   * Write if the stored version is `expected` (0 = must not exist). Returns the new version once it is durable, or `undefined`
   * when another version is stored (KV1, KV3). The bytes are the caller's again when the call returned.
   * @throws `store.value-too-large`, `store.too-many-keys`, `store.full`, `abi.malformed`.
   */
  put(key: string, value: Uint8Array, expected: number): Promise<number | undefined>;
  /** Remove if the stored version is `expected` (KV1). Returns whether it did. */
  delete(key: string, expected: number): Promise<boolean>;
  /** Keys that start with `prefix` after the key `after` ("" for the first), by code points, at most `limit` (1 to 10,000). */
  list(prefix: string, after: string, limit: number): Promise<readonly KeyInfo[]>;
  /** Answer what was asked before, then release files. Idempotent. */
  close(): Promise<void>;
}
