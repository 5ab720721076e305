/**
 * Digests and signature checks on `node:crypto`.
 *
 * D1. `verify` answers false for anything malformed and never throws.
 * D2. Under a public key of small order a signature can be made without any private key (RFC 8032 section 5.1.7 does not
 *     forbid it). The OpenSSL of Node 24 and 26 refuses such keys; a test forges one signature for each and holds it to that.
 * D3. The memory kept for parsed keys is bounded.
 */
import { createHmac, createPublicKey, hash, type KeyObject, timingSafeEqual, verify } from "node:crypto";
import type { Digests } from "@glia-os/abi/ports";

const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Parsed public keys kept: parsing costs about a third of a check, and a mesh hears from the same peers over and over. */
const KEPT_KEYS = 1024;
/** The DER before the 32 key bytes in a SubjectPublicKeyInfo of Ed25519 (RFC 8410 section 4). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** A bounded table of parsed keys; the one used longest ago leaves first. */
class KeyTable {
  readonly #keys = new Map<string, KeyObject>();

  get(publicKey: Uint8Array): KeyObject {
    const name = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.byteLength).toString("latin1");
    const known = this.#keys.get(name);
    if (known !== undefined) {
      this.#keys.delete(name);
      this.#keys.set(name, known);
      return known;
    }
    const key = createPublicKey({
      key: Buffer.concat([SPKI_PREFIX, publicKey]),
      format: "der",
      type: "spki",
    });
    if (this.#keys.size >= KEPT_KEYS) this.#keys.delete(this.#keys.keys().next().value!);
    this.#keys.set(name, key);
    return key;
  }
}

/** SHA-256, HMAC-SHA-256, Ed25519 verification and constant-time comparison. */
export function createSystemDigests(): Digests {
  const keys = new KeyTable();
  return {
    sha256: (data) => new Uint8Array(hash("sha256", data, "buffer")),
    hmacSha256: (key, data) => new Uint8Array(createHmac("sha256", key).update(data).digest()),
    verify: (publicKey, message, signature) => {
      if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
      try {
        return verify(null, message, keys.get(publicKey), signature);
      } catch {
        return false;
      }
    },
    equalConstantTime: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  };
}
