/**
 * Signed statements: a domain string, a deterministic body and an Ed25519 signature over both (RFC 8032).
 *
 * SG1. The domain is part of what is signed, so a statement of one type never passes as one of another.
 * SG2. A body is opened only after its signature was verified, unless the caller asks for {@link peekBody} and checks later.
 */
import type { Digests, Signer } from "@glia-os/abi/ports";
import { concat } from "./ascii.ts";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.ts";
import { FieldReader } from "./reader.ts";

/** Bytes of an Ed25519 public key. */
export const KEY_BYTES = 32;
/** Bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64;
/** Largest body of one signed statement. */
const BODY_MAX = 512;

/** A statement taken apart, not yet verified. */
export interface Statement {
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

/** `[body, signature]` as bytes. */
export function signStatement(signer: Signer, domain: Uint8Array, body: CborValue): Uint8Array {
  const bytes = encodeCbor(body);
  return encodeCbor([bytes, signer.sign(concat(domain, bytes))]);
}

/** Take `[body, signature]` apart; the body has at most `bodyMax` bytes. @throws {MalformedMessageError}. */
export function splitStatement(bytes: Uint8Array, what: string, bodyMax: number = BODY_MAX): Statement {
  const reader = new FieldReader(decodeCbor(bytes, what), what);
  const body = reader.bytes("body", bodyMax, 1);
  const signature = reader.bytes("signature", SIGNATURE_BYTES, SIGNATURE_BYTES);
  reader.end();
  return { body, signature };
}

/** Whether `key` signed the statement in this domain. */
export function verifyStatement(
  digests: Digests,
  key: Uint8Array,
  domain: Uint8Array,
  { body, signature }: Statement,
): boolean {
  return digests.verify(key, concat(domain, body), signature);
}

/** The fields of a body, whose signature the caller verifies before acting on them (SG2). */
export function peekBody({ body }: Statement, what: string): FieldReader {
  return new FieldReader(decodeCbor(body, what), what);
}
