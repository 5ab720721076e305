/** Keys, nonces and signed statements of agent files (docs/spec/agent-file.md). */
import type { Digests } from "@glia-os/abi/ports";

/** AES-256-GCM (NIST SP 800-38D): 32 bytes of key, 12 of nonce, a tag of 16 behind the sealed bytes. */
export interface FileCipher {
  seal(key: Uint8Array, nonce: Uint8Array, additional: Uint8Array, plain: Uint8Array): Uint8Array;
  /** Undefined when the tag does not match. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    additional: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined;
}

/** A hash that is fed piece by piece: SHA-256. */
export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** Of everything so far; more can follow. */
  digest(): Uint8Array;
}

/** What reading and writing take. */
export interface FileCrypto {
  readonly digests: Digests;
  readonly cipher: FileCipher;
  sha256(): RunningHash;
}

/** Bytes of a tag. */
export const TAG_BYTES = 16;
/** Most plain bytes of a chunk. */
export const FILE_CHUNK_MAX: number = 1024 * 1024;
export const SIGNATURE_BYTES = 64;
export const CHECK_BYTES = 16;
export const FILE_MAGIC: Uint8Array = Uint8Array.of(0x47, 0x4c, 0x41, 0x46);
export const FILE_VERSION = 1;

/** ASCII, as bytes. */
function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

const KEY_INFO = ascii("glia/agent-file/v1/key\0");
const CHECK_INFO = ascii("glia/agent-file/v1/check\0");
export const HEADER_DOMAIN: Uint8Array = ascii("glia/agent-file/v1/header\0");
export const END_DOMAIN: Uint8Array = ascii("glia/agent-file/v1/end\0");

/** Bytes behind each other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** HKDF-SHA-256 (RFC 5869) with one block of output: 32 bytes. */
function derived(digests: Digests, secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Uint8Array {
  return digests.hmacSha256(digests.hmacSha256(salt, secret), joined(info, Uint8Array.of(1)));
}

/** The key of a file, and what says that it is the right one. */
export function fileKeys(
  digests: Digests,
  secret: Uint8Array,
  salt: Uint8Array,
): { readonly key: Uint8Array; readonly check: Uint8Array } {
  const check = derived(digests, secret, salt, CHECK_INFO).slice(0, CHECK_BYTES);
  return { key: derived(digests, secret, salt, KEY_INFO), check };
}

/** The nonce of a chunk. */
export function nonceOf(number: number): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(number));
  return nonce;
}

/** A length as four bytes. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** The number in four bytes. */
export function readU32(bytes: Uint8Array, at = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}
