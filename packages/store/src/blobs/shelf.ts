/** Where blobs lie: bytes by name, and nothing about what the names mean. */

/** A blob that was there when the shelf was opened. */
export interface FoundBlob {
  readonly hash: string;
  readonly bytes: number;
}

/** Storage under the rules of a blob store. Synchronous, because a store does one thing at a time. */
export interface BlobShelf {
  /** What is there. Asked once, before anything else. */
  found(): Iterable<FoundBlob>;
  /** Put bytes in the place of this hash, whole or not at all. @throws when they could not be written; then nothing changed. */
  write(hash: string, bytes: Uint8Array): void;
  /** The bytes in the place of a blob that has `length`, or why they cannot be its own. The bytes are the caller's to keep. */
  read(hash: string, length: number): Uint8Array | { readonly damage: string };
  /** Empty the place. */
  remove(hash: string): void;
}
