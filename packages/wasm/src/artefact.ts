/**
 * Signed modules: a node runs instrumentation that its own cluster made, whoever carried the bytes.
 *
 * AR1. The signature is Ed25519 (RFC 8032) over a label, the hash of the module, its profile, pipeline version and original; the
 *      module and what is said of it cannot be exchanged one without the other.
 * AR2. It travels as the last custom section, `glia.signature`, which is not part of the module's hash: signing with another key
 *      leaves snapshots valid.
 * AR3. A signature is no proof that code is bounded; the validator reads signed modules like all others.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { readOutline } from "./binary/outline.ts";
import { concat, customSection } from "./binary/writer.ts";
import { BadKeyError, UnsignedModuleError } from "./errors.ts";
import { decodeProfile, PROFILE_SECTION, sha256Hex } from "./profile.ts";

/** Name of the custom section. */
export const SIGNATURE_SECTION = "glia.signature";
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const LABEL = "glia wasm artefact 1";
/** DER before a raw Ed25519 key: PKCS #8 for private, SubjectPublicKeyInfo for public ones (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** A module and the signature that was at its end. */
export interface SignedParts {
  /** The module without its signature. */
  readonly module: Uint8Array;
  /** Who signed, as 32 bytes of public key, and the signature; undefined when there is none. */
  readonly signature: { readonly key: Uint8Array; readonly bytes: Uint8Array } | undefined;
}

/**
 * The module with a signature by the 32-byte Ed25519 seed `privateKey`; an earlier one is replaced.
 * @throws BadKeyError, NotAModuleError, MalformedModuleError, NotInstrumentedError
 */
export function signModule(bytes: Uint8Array, privateKey: Uint8Array): Uint8Array {
  const { module } = splitSignature(bytes);
  if (privateKey.length !== KEY_BYTES) throw new BadKeyError(privateKey.length);
  const key = createPrivateKey({
    key: concat([PRIVATE_PREFIX, privateKey]) as Buffer,
    format: "der",
    type: "pkcs8",
  });
  const signature = sign(null, statementOf(module), key);
  return concat([module, customSection(SIGNATURE_SECTION, concat([publicKeyOf(key), signature]))]);
}

/** Take the signature off, if there is one at the end. @throws NotAModuleError, MalformedModuleError, UnsignedModuleError */
export function splitSignature(bytes: Uint8Array): SignedParts {
  const { customs, sections } = readOutline(bytes);
  const found = customs.filter(({ name }) => name === SIGNATURE_SECTION);
  const last = sections.at(-1);
  const [custom] = found;
  if (custom === undefined || last === undefined) return { module: bytes, signature: undefined };
  if (found.length > 1 || customs.at(-1) !== custom || last.id !== 0)
    throw new UnsignedModuleError("its signature is not its last section, or not its only one");
  if (custom.content.length !== KEY_BYTES + SIGNATURE_BYTES)
    throw new UnsignedModuleError(`its signature section has ${custom.content.length} bytes`);
  return {
    module: bytes.subarray(0, last.start),
    signature: { key: custom.content.subarray(0, KEY_BYTES), bytes: custom.content.subarray(KEY_BYTES) },
  };
}

/**
 * The module without its signature, which must be by one of `keys` (raw Ed25519 public keys of 32 bytes).
 * @throws UnsignedModuleError with what is wrong, BadKeyError for a key of another length
 */
export function requireSignature(bytes: Uint8Array, keys: readonly Uint8Array[]): Uint8Array {
  const { module, signature } = splitSignature(bytes);
  if (signature === undefined) throw new UnsignedModuleError("it has no signature");
  const wrong = keys.find(({ length }) => length !== KEY_BYTES);
  if (wrong !== undefined) throw new BadKeyError(wrong.length);
  const known = keys.find((key) => Buffer.compare(key, signature.key) === 0);
  if (known === undefined) throw new UnsignedModuleError("it is signed by a key that is not admitted here");
  const key = createPublicKey({ key: concat([PUBLIC_PREFIX, known]) as Buffer, format: "der", type: "spki" });
  if (!verify(null, statementOf(module), key, signature.bytes))
    throw new UnsignedModuleError("its signature does not fit its bytes");
  return module;
}

function publicKeyOf(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(PUBLIC_PREFIX.length);
}

/** What is signed: label, hash, profile, pipeline and original, one per line. */
function statementOf(module: Uint8Array): Uint8Array {
  const custom = readOutline(module).customs.find(({ name }) => name === PROFILE_SECTION);
  const { profile, pipeline, original } = decodeProfile(custom?.content ?? new Uint8Array());
  return new TextEncoder().encode([LABEL, sha256Hex(module), profile, pipeline, original].join("\n"));
}
