/**
 * Short-lived TLS certificates under a long-term node identity (docs/spec/node-certificate.md). The shape follows the
 * libp2p TLS specification; object identifier, prefix and the signed validity are our own.
 *
 * C1. The identity key signs the leaf's public key together with its validity, so a stolen leaf key is worthless after
 *     the certificate's end.
 * C2. A peer is identified by its extension alone; names in the certificate prove nothing.
 * C3. Exactly one certificate, one extension of ours, validity within five minutes of skew; anything else is refused
 *     with the reason.
 */
import { generateKeyPairSync, type KeyObject, sign, verify, X509Certificate } from "node:crypto";
import { type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import type { Random } from "@glia-os/abi/ports";
import {
  DER_TAG,
  type DerValue,
  derPositiveInteger,
  derTime,
  derValue,
  readDer,
  readDerChildren,
} from "./der.ts";
import { CertificateRequestError, PeerCertificateError } from "./errors.ts";
import { ed25519PublicKey, type NodeIdentity, sha256 } from "./node-identity.ts";

const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
/** How long a certificate may be valid, in milliseconds: 90 days. */
export const CERTIFICATE_VALIDITY_MS: number = 90 * DAY_MS;
/** Clocks of two nodes may differ by this much, in milliseconds. */
export const CLOCK_SKEW_MS: number = 5 * 60 * SECOND_MS;
/** Ours have about 500 bytes; a bound before anything is parsed. */
const CERTIFICATE_BYTES_MAX = 4096;

/** 2.25.221063439686607519105143333225690446603: a UUID-based arc (ITU-T X.667), which needs no registration. */
const IDENTITY_OID = Buffer.from("6982cccfa2c4c8f7baaf8181bcad88d5f9b8f60b", "hex");
const OID_COMMON_NAME = Buffer.from("550403", "hex");
const OID_ECDSA_WITH_SHA256 = Buffer.from("2a8648ce3d040302", "hex");
const SIGNATURE_PREFIX = Buffer.from("glia/node-certificate/v1\0", "latin1");
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const SERIAL_BYTES = 16;

/** A certificate and its key, ready for `tls.createSecureContext`. */
export interface NodeCertificate {
  /** The certificate in PEM. */
  readonly cert: string;
  /** The leaf's private key, PKCS#8 in PEM. Lives in memory only. */
  readonly key: string;
  /** First moment of validity, milliseconds since the Unix epoch. */
  readonly notBeforeMs: number;
  /** Last moment of validity, milliseconds since the Unix epoch. */
  readonly notAfterMs: number;
}

/** When a certificate is valid. */
export interface CertificateTerm {
  /** First moment, milliseconds since the Unix epoch; rounded down to a second. */
  readonly notBeforeMs: number;
  /** Length in milliseconds, 1,000 to {@link CERTIFICATE_VALIDITY_MS}; rounded down to a second. */
  readonly validityMs: number;
}

function checkTerm(term: CertificateTerm): void {
  const { notBeforeMs, validityMs } = term;
  if (!Number.isFinite(notBeforeMs) || notBeforeMs < 0)
    throw new CertificateRequestError(`it would start at ${notBeforeMs}`);
  if (!(validityMs >= SECOND_MS && validityMs <= CERTIFICATE_VALIDITY_MS)) {
    throw new CertificateRequestError(`its validity would be ${validityMs} ms`);
  }
}

/** What the identity key signs (C1). */
function signedBytes(notBeforeMs: number, notAfterMs: number, spki: Uint8Array): Uint8Array {
  const term = Buffer.alloc(16);
  term.writeBigUInt64BE(BigInt(Math.floor(notBeforeMs / SECOND_MS)), 0);
  term.writeBigUInt64BE(BigInt(Math.floor(notAfterMs / SECOND_MS)), 8);
  return Buffer.concat([SIGNATURE_PREFIX, term, spki]);
}

/** A fresh ECDSA P-256 leaf key with a certificate that `identity` vouches for. @throws {CertificateRequestError} */
export function issueNodeCertificate(
  identity: NodeIdentity,
  term: CertificateTerm,
  random: Random,
): NodeCertificate {
  checkTerm(term);
  const notBeforeMs = Math.floor(term.notBeforeMs / SECOND_MS) * SECOND_MS;
  const notAfterMs = notBeforeMs + Math.floor(term.validityMs / SECOND_MS) * SECOND_MS;
  const leaf = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = leaf.publicKey.export({ format: "der", type: "spki" });
  const identitySignature = identity.sign(signedBytes(notBeforeMs, notAfterMs, spki));
  const algorithm = derValue(DER_TAG.sequence, derValue(DER_TAG.objectIdentifier, OID_ECDSA_WITH_SHA256));
  const name = nameOf(identity.nodeId);
  const toBeSigned = derValue(
    DER_TAG.sequence,
    derValue(DER_TAG.explicit0, derPositiveInteger(Uint8Array.of(2))),
    derPositiveInteger(random.bytes(new Uint8Array(SERIAL_BYTES))),
    algorithm,
    name,
    derValue(DER_TAG.sequence, derTime(notBeforeMs), derTime(notAfterMs)),
    name,
    spki,
    derValue(
      DER_TAG.explicit3,
      derValue(DER_TAG.sequence, identityExtension(identity.publicKey, identitySignature)),
    ),
  );
  const signature = sign("sha256", toBeSigned, leaf.privateKey);
  const der = derValue(
    DER_TAG.sequence,
    toBeSigned,
    algorithm,
    derValue(DER_TAG.bitString, Uint8Array.of(0), signature),
  );
  return {
    cert: new X509Certificate(der).toString(),
    key: leaf.privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    notBeforeMs,
    notAfterMs,
  };
}

/** A name of one common name: 64 characters, the most X.520 allows. For people who look at the certificate (C2). */
function nameOf(nodeId: NodeId): Uint8Array {
  const attribute = derValue(
    DER_TAG.sequence,
    derValue(DER_TAG.objectIdentifier, OID_COMMON_NAME),
    derValue(DER_TAG.utf8String, Buffer.from(nodeId, "latin1")),
  );
  return derValue(DER_TAG.sequence, derValue(DER_TAG.set, attribute));
}

function identityExtension(publicKey: Uint8Array, signature: Uint8Array): Uint8Array {
  const proof = derValue(
    DER_TAG.sequence,
    derValue(DER_TAG.octetString, publicKey),
    derValue(DER_TAG.octetString, signature),
  );
  return derValue(
    DER_TAG.sequence,
    derValue(DER_TAG.objectIdentifier, IDENTITY_OID),
    derValue(DER_TAG.octetString, proof),
  );
}

/** Who a certificate proves. */
export interface ProvenNode {
  readonly nodeId: NodeId;
  /** Raw Ed25519 key: 32 bytes. */
  readonly publicKey: Uint8Array;
  /** End of the certificate, milliseconds since the Unix epoch. */
  readonly notAfterMs: number;
}

/**
 * The node that a certificate proves at the time `nowMs` (C1-C3). TLS itself has proved that the peer holds the leaf key.
 *
 * @throws {PeerCertificateError} with the check that failed
 */
export function proveNode(certificate: X509Certificate | undefined, nowMs: number): ProvenNode {
  if (certificate === undefined) throw new PeerCertificateError("absent", "the peer sent none");
  if (certificate.issuerCertificate !== undefined) {
    throw new PeerCertificateError("chain", "the peer sent more than one");
  }
  if (certificate.raw.length > CERTIFICATE_BYTES_MAX) {
    throw new PeerCertificateError("malformed", `it has ${certificate.raw.length} bytes`);
  }
  const { key, notBeforeMs, notAfterMs } = readLeaf(certificate);
  checkLeafKey(certificate, key);
  const proof = readIdentityExtension(certificate.raw);
  const message = signedBytes(notBeforeMs, notAfterMs, key.export({ format: "der", type: "spki" }));
  if (!verify(null, message, ed25519PublicKey(proof.publicKey), proof.signature)) {
    throw new PeerCertificateError("identity-signature", "the identity key did not sign it");
  }
  checkValidity(notBeforeMs, notAfterMs, nowMs);
  return { nodeId: nodeIdOf(proof.publicKey, sha256), publicKey: proof.publicKey, notAfterMs };
}

/** What Node parses on demand, and throws untyped errors for when it cannot. */
function readLeaf(certificate: X509Certificate): { key: KeyObject; notBeforeMs: number; notAfterMs: number } {
  try {
    const key = certificate.publicKey;
    const notBeforeMs = certificate.validFromDate.getTime();
    const notAfterMs = certificate.validToDate.getTime();
    if (notBeforeMs >= 0 && notAfterMs >= notBeforeMs) return { key, notBeforeMs, notAfterMs };
  } catch {
    throw new PeerCertificateError("malformed", "its key or its dates cannot be read");
  }
  throw new PeerCertificateError("malformed", "its dates are impossible");
}

function checkLeafKey(certificate: X509Certificate, key: KeyObject): void {
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new PeerCertificateError("key-type", `its key is ${key.asymmetricKeyType}, not ECDSA P-256`);
  }
  if (!certificate.verify(key))
    throw new PeerCertificateError("self-signature", "it is not signed by its own key");
}

function checkValidity(notBeforeMs: number, notAfterMs: number, nowMs: number): void {
  if (notAfterMs - notBeforeMs > CERTIFICATE_VALIDITY_MS) {
    throw new PeerCertificateError("validity-too-long", "it is valid for more than 90 days");
  }
  if (nowMs < notBeforeMs - CLOCK_SKEW_MS) {
    throw new PeerCertificateError(
      "not-yet-valid",
      `it is valid from ${new Date(notBeforeMs).toISOString()}`,
    );
  }
  if (nowMs > notAfterMs + CLOCK_SKEW_MS) {
    throw new PeerCertificateError("expired", `it was valid until ${new Date(notAfterMs).toISOString()}`);
  }
}

/** The identity key and its signature from the extension of a certificate in DER. @throws {PeerCertificateError} */
export function readIdentityExtension(der: Uint8Array): { publicKey: Uint8Array; signature: Uint8Array } {
  const certificate = readDer(der, 0, der.length);
  const toBeSigned = readDer(der, certificate.start, certificate.end);
  const wrapper = readDerChildren(der, toBeSigned).find((value) => value.tag === DER_TAG.explicit3);
  const extensions =
    wrapper === undefined ? [] : readDerChildren(der, readDer(der, wrapper.start, wrapper.end));
  const ours = extensions
    .map((value) => readDerChildren(der, value))
    .filter((parts) => isIdentityOid(der, parts[0]));
  const [first, second] = ours;
  if (first === undefined) throw new PeerCertificateError("extension-missing", "it carries no node identity");
  if (second !== undefined)
    throw new PeerCertificateError("extension-malformed", "it carries two node identities");
  const value = first.at(-1);
  if (value?.tag !== DER_TAG.octetString) {
    throw new PeerCertificateError("extension-malformed", "its node identity has no value");
  }
  return readProof(der, value);
}

function isIdentityOid(der: Uint8Array, value: DerValue | undefined): boolean {
  if (value?.tag !== DER_TAG.objectIdentifier) return false;
  return IDENTITY_OID.equals(der.subarray(value.start, value.end));
}

function readProof(der: Uint8Array, container: DerValue): { publicKey: Uint8Array; signature: Uint8Array } {
  const sequence = readDer(der, container.start, container.end);
  const parts = sequence.tag === DER_TAG.sequence ? readDerChildren(der, sequence) : [];
  const [key, signature] = parts;
  const fits = (value: DerValue | undefined, size: number) =>
    value?.tag === DER_TAG.octetString && value.end - value.start === size;
  if (parts.length !== 2 || !fits(key, PUBLIC_KEY_BYTES) || !fits(signature, SIGNATURE_BYTES)) {
    throw new PeerCertificateError("extension-malformed", "its node identity is not a key and a signature");
  }
  return {
    publicKey: new Uint8Array(der.subarray(key!.start, key!.end)),
    signature: new Uint8Array(der.subarray(signature!.start, signature!.end)),
  };
}
