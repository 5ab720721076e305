/**
 * Digests and signature checks on `node:crypto`.
 *
 * D1. `verify` answers false for anything malformed and never throws.
 * D2. Under a public key of small order a signature can be made without any private key (RFC 8032 section
 *     5.1.7 does not forbid it). The OpenSSL of Node 24 and 26 refuses such keys; a test forges one signature
 *     for each and holds it to that.
 * D3. Keys are parsed once and kept in a bounded table (`public-key-table.ts`).
 */
import { createHash, createHmac, hash, timingSafeEqual, verify } from "node:crypto";
import type { Digests } from "@glia-os/abi/ports";
import { PUBLIC_KEY_BYTES, PublicKeyTable } from "./public-key-table.ts";

const SIGNATURE_BYTES = 64;
/** SHA-256, HMAC-SHA-256, Ed25519 verification and constant-time comparison. */
export function createSystemDigests(): Digests {
  const keys = new PublicKeyTable();
  return {
    sha256: (data) => new Uint8Array(hash("sha256", data, "buffer")),
    sha256Of: (parts) => {
      const whole = createHash("sha256");
      for (const part of parts) whole.update(part);
      return new Uint8Array(whole.digest());
    },
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
