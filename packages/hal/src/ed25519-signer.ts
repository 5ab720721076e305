/**
 * An Ed25519 signer (RFC 8032) on `node:crypto`.
 *
 * S1. The private key stays inside the key object of the host: no property, message or log of this package
 *     contains it.
 * S2. A signer exists only for a key that parsed as an Ed25519 private key.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Signer } from "@glia-os/abi/ports";
import { BadKeyError } from "./errors.ts";

/**
 * Largest key accepted, in bytes or characters. An Ed25519 key in PKCS#8 has 48 bytes, in PEM 119 characters.
 */
const KEY_LIMIT = 16_384;
const PUBLIC_KEY_BYTES = 32;

/** Parse a PKCS#8 key; the host's own message is kept out of the error, because it may quote its input. */
function parsePrivateKey(pkcs8: Uint8Array | string): KeyObject {
  if (pkcs8.length > KEY_LIMIT) throw new BadKeyError(`it is larger than ${KEY_LIMIT} bytes`);
  try {
    if (typeof pkcs8 === "string") return createPrivateKey({ key: pkcs8, format: "pem" });
    return createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  } catch {
    throw new BadKeyError("it is not an unencrypted PKCS#8 private key");
  }
}

/**
 * A signer that holds the given key.
 * @param pkcs8 the private key: DER bytes, or a PEM string.
 * @throws `hal.bad-key` for anything else than an unencrypted Ed25519 private key.
 */
export function createEd25519Signer(pkcs8: Uint8Array | string): Signer {
  const key = parsePrivateKey(pkcs8);
  if (key.asymmetricKeyType !== "ed25519") {
    throw new BadKeyError(`it is a key for ${key.asymmetricKeyType ?? "another algorithm"}, not for ed25519`);
  }
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const publicKey = new Uint8Array(spki.subarray(spki.length - PUBLIC_KEY_BYTES));
  return {
    get publicKey() {
      return publicKey.slice();
    },
    sign: (message) => new Uint8Array(sign(null, message, key)),
  };
}

/** A new Ed25519 private key as PKCS#8 DER (48 bytes). The caller stores it; it is secret. */
export function generateEd25519Key(): Uint8Array {
  const { privateKey } = generateKeyPairSync("ed25519");
  return new Uint8Array(privateKey.export({ format: "der", type: "pkcs8" }));
}
