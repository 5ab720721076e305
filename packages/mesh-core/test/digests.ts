/** Real Ed25519 and SHA-256 for the tests; keys are derived from a number so that every run has the same ids. */
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import type { Digests, Signer } from "@glia-os/abi/ports";

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

const bytes = (buffer: Buffer): Uint8Array => new Uint8Array(buffer);

export const digests: Digests = {
  sha256: (data) => bytes(createHash("sha256").update(data).digest()),
  hmacSha256: (key, data) => bytes(createHmac("sha256", key).update(data).digest()),
  verify: (publicKey, message, signature) => {
    try {
      const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: "der", type: "spki" });
      return verify(null, message, key, signature);
    } catch {
      return false;
    }
  },
  equalConstantTime: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};

/** The signer number `n`. */
export function signerOf(n: number, label = "node"): Signer {
  const seed = createHash("sha256").update(`${label} ${n}`).digest();
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return { publicKey: bytes(spki.subarray(-32)), sign: (message) => bytes(sign(null, message, key)) };
}

export function idOf(signer: Signer): NodeId {
  return nodeIdOf(signer.publicKey, digests.sha256);
}
