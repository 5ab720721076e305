/**
 * Parsed Ed25519 public keys. Parsing adds about a tenth to the cost of a check, and a mesh hears from the same peers
 * over and over.
 *
 * K1. A key is found only by its own 32 bytes.
 * K2. The table never holds more than its limit; the key used longest ago leaves first.
 */
import { createPublicKey, type KeyObject } from "node:crypto";

/** Length of a raw public key. */
export const PUBLIC_KEY_BYTES = 32;
/** Keys kept unless another limit is given: less than 1 MB. */
export const KEPT_KEYS = 1024;
/** The DER before the 32 key bytes in a SubjectPublicKeyInfo of Ed25519 (RFC 8410 section 4). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** A bounded table of parsed keys. Each lookup is O(1). */
export class PublicKeyTable {
  readonly #keys = new Map<string, KeyObject>();
  readonly #limit: number;

  constructor(limit: number = KEPT_KEYS) {
    this.#limit = limit;
  }

  /** Keys held at present. */
  get size(): number {
    return this.#keys.size;
  }

  /** The key with these 32 bytes. Throws what the host throws for bytes it does not take. */
  get(publicKey: Uint8Array): KeyObject {
    const name = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.byteLength).toString("latin1");
    const key = this.#keys.get(name) ?? parsePublicKey(publicKey);
    this.#keys.delete(name);
    if (this.#keys.size >= this.#limit) this.#keys.delete(this.#keys.keys().next().value!);
    this.#keys.set(name, key);
    return key;
  }
}

function parsePublicKey(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: "der", type: "spki" });
}
