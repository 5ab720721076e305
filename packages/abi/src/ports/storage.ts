/** Bytes at rest as ports: blobs by content and keys with values. */

/** Content-addressed storage. */
export interface Blobs {
  /** Store bytes; returns their SHA-256 as hexadecimal. Storing the same bytes twice is one blob. */
  put(bytes: Uint8Array): Promise<string>;
  /** The bytes with this hash, verified, or `undefined`. */
  get(hash: string): Promise<Uint8Array | undefined>;
  /** Whether the blob is there. */
  has(hash: string): Promise<boolean>;
}

/** Small values by key, with versions. */
export interface KeyValue {
  /** The value and its version, or `undefined`. */
  get(key: string): Promise<{ readonly value: Uint8Array; readonly version: number } | undefined>;
  /** Write if the stored version is `expected` (0 = must not exist). Returns the new version, or `undefined` when it was not. */
  put(key: string, value: Uint8Array, expected: number): Promise<number | undefined>;
  /** Remove if the stored version is `expected`. */
  delete(key: string, expected: number): Promise<boolean>;
}
