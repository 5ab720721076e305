/**
 * Signatures and digests that cost next to nothing, for simulations only: anybody who knows a public key can sign with it here.
 *
 * KH1. Every function depends on all of its input; a changed byte gives another value, except by accident of 64 bits.
 * KH2. A signature verifies under the key and message it was made for, and under no other, except by the same accident. An adversary
 *      of a simulation is a program that signs with its own key only.
 */
import type { Digests, Signer } from "@glia-os/abi/ports";

const DIGEST_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Digests of a simulation (KH1, KH2). Not for secrets. */
export const SIMULATED_DIGESTS: Digests = {
  sha256: (data) => expand(DIGEST_BYTES, 1, data),
  hmacSha256: (key, data) => expand(DIGEST_BYTES, 2, key, data),
  verify: (publicKey, message, signature) => {
    if (publicKey.length !== DIGEST_BYTES || signature.length !== SIGNATURE_BYTES) return false;
    return equal(signature, expand(SIGNATURE_BYTES, 3, publicKey, message));
  },
  equalConstantTime: equal,
};

/** The signer of a name; names differ, keys differ. Only for {@link SIMULATED_DIGESTS}. */
export function simulatedSigner(name: string): Signer {
  const bytes = new Uint8Array(2 * name.length);
  for (let i = 0; i < name.length; i++) {
    bytes[2 * i] = name.charCodeAt(i) >>> 8;
    bytes[2 * i + 1] = name.charCodeAt(i) & 0xff;
  }
  const publicKey = expand(DIGEST_BYTES, 4, bytes);
  return { publicKey, sign: (message) => expand(SIGNATURE_BYTES, 3, publicKey, message) };
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let different = 0;
  for (let i = 0; i < a.length; i++) different |= (a[i] as number) ^ (b[i] as number);
  return different === 0;
}

/** 64 bits over all inputs, stretched to `length` bytes. */
function expand(length: number, purpose: number, ...inputs: readonly Uint8Array[]): Uint8Array {
  let high = 0x9e3779b9 ^ purpose;
  let low = 0x85ebca6b;
  for (const input of inputs) {
    high = Math.imul(high ^ input.length, 0xcc9e2d51);
    for (let i = 0; i < input.length; i++) {
      const byte = input[i] as number;
      high = Math.imul(high ^ byte, 0x0100_0193);
      low = Math.imul(low + byte, 0x85eb_ca6b) ^ (high >>> 13);
    }
  }
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 4) {
    high = mix(high + 0x9e3779b9 + at);
    low = mix(low ^ high);
    for (let i = 0; i < 4; i++) bytes[at + i] = low >>> (8 * i);
  }
  return bytes;
}

/** The finisher of MurmurHash3. */
function mix(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
