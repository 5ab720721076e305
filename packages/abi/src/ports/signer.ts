/** Signatures and digests as ports. */

/** A holder of one Ed25519 key (RFC 8032). The private half never leaves the implementation. */
export interface Signer {
  /** The raw public key: 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The 64-byte signature over `message`. */
  sign(message: Uint8Array): Uint8Array;
}

/** The cryptographic functions a sans-IO core may ask for. */
export interface Digests {
  /** SHA-256 (FIPS 180-4): 32 bytes. */
  sha256(data: Uint8Array): Uint8Array;
  /** SHA-256 of the parts, one after the other, without joining them. Default: they are joined and given to `sha256`. */
  sha256Of?(parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC-SHA-256 (RFC 2104): 32 bytes. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Whether `signature` is `publicKey`'s Ed25519 signature over `message`. False for malformed input; never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** Whether two byte strings are equal, in time that depends only on their lengths. */
  equalConstantTime(a: Uint8Array, b: Uint8Array): boolean;
}
