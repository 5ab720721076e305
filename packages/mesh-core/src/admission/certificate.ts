/**
 * Membership certificates and the cluster record (docs/spec/join.md).
 *
 * AC1. A certificate binds a node's key and role to a cluster; only the cluster key signs it.
 * AC2. It is worth something only on a session whose proven key is the one it names.
 * AC3. Validity is judged with five minutes of tolerance for clocks.
 * AC4. The cluster record names the one anchor; of two valid records the one with the higher anchor epoch holds.
 */
import { type ClusterId, type NodeId, nodeIdOf, toHex } from "@glia-os/abi/ids";
import type { Digests, Signer } from "@glia-os/abi/ports";
import { ascii } from "../codec/ascii.ts";
import { KEY_BYTES, peekBody, signStatement, splitStatement, verifyStatement } from "../codec/signed.ts";
import { CertificateExpiredError, CertificateInvalidError, WrongClusterError } from "../errors.ts";
import type { NodeRole } from "../mesh-types.ts";

/** Every role, in the order of its wire number. */
export const ROLES: readonly NodeRole[] = ["edge", "relay", "core", "client"];
/** Tolerance for wall clocks that differ (AC3), in milliseconds. */
export const CLOCK_SKEW_MS = 300_000;
/** Largest certificate or cluster record in bytes. */
export const CREDENTIAL_MAX = 640;

const CERTIFICATE_DOMAIN = ascii("glia/membership-certificate/v1\0");
const RECORD_DOMAIN = ascii("glia/cluster-record/v1\0");
const VERSION = 1;

/** What a membership certificate says. */
export interface Certificate {
  readonly node: NodeId;
  readonly nodeKey: Uint8Array;
  readonly role: NodeRole;
  /** Milliseconds since the Unix epoch. */
  readonly issuedMs: number;
  readonly expiresMs: number;
}

/** What the cluster record says. */
export interface ClusterRecord {
  readonly cluster: ClusterId;
  readonly clusterKey: Uint8Array;
  readonly anchor: NodeId;
  /** Grows when the cluster key names another anchor; from 1. */
  readonly anchorEpoch: number;
}

/** Sign a certificate for `nodeKey`. */
export function issueCertificate(
  clusterSigner: Signer,
  { nodeKey, role, issuedMs, expiresMs }: Omit<Certificate, "node">,
): Uint8Array {
  const body = [VERSION, clusterSigner.publicKey, nodeKey, ROLES.indexOf(role), issuedMs, expiresMs];
  return signStatement(clusterSigner, CERTIFICATE_DOMAIN, body);
}

/** Verify a certificate of the cluster with `clusterKey`. @throws {CertificateInvalidError}, {MalformedMessageError}. */
export function openCertificate(digests: Digests, clusterKey: Uint8Array, bytes: Uint8Array): Certificate {
  const statement = splitStatement(bytes, "a membership certificate");
  const reader = peekBody(statement, "a membership certificate");
  reader.int("version", VERSION, VERSION);
  const issuer = reader.bytes("cluster key", KEY_BYTES, KEY_BYTES);
  const nodeKey = reader.bytes("node key", KEY_BYTES, KEY_BYTES);
  const role = ROLES[reader.int("role", ROLES.length - 1)] ?? "client";
  const issuedMs = reader.int("issued");
  const expiresMs = reader.int("expires");
  reader.end();
  if (toHex(issuer) !== toHex(clusterKey)) throw new CertificateInvalidError("another cluster issued it");
  if (!verifyStatement(digests, clusterKey, CERTIFICATE_DOMAIN, statement))
    throw new CertificateInvalidError("the cluster key did not sign it");
  return { node: nodeIdOf(nodeKey, digests.sha256), nodeKey, role, issuedMs, expiresMs };
}

/** The node a certificate is about; not verified. @throws {MalformedMessageError}. */
export function claimedNode(digests: Digests, bytes: Uint8Array): NodeId {
  const reader = peekBody(splitStatement(bytes, "a membership certificate"), "a membership certificate");
  reader.int("version", VERSION, VERSION);
  reader.bytes("cluster key", KEY_BYTES, KEY_BYTES);
  return nodeIdOf(reader.bytes("node key", KEY_BYTES, KEY_BYTES), digests.sha256);
}

/** The cluster key a certificate says it was signed with; not verified. @throws {MalformedMessageError}. */
export function issuerOf(bytes: Uint8Array): Uint8Array {
  const reader = peekBody(splitStatement(bytes, "a membership certificate"), "a membership certificate");
  reader.int("version", VERSION, VERSION);
  return reader.bytes("cluster key", KEY_BYTES, KEY_BYTES);
}

/** Refuse a certificate that names another key (AC2) or is not valid at `wallMs` (AC3). */
export function checkCertificate(certificate: Certificate, sessionKey: Uint8Array, wallMs: number): void {
  if (toHex(certificate.nodeKey) !== toHex(sessionKey))
    throw new CertificateInvalidError("it names another key than the session's");
  if (wallMs > certificate.expiresMs + CLOCK_SKEW_MS) throw new CertificateExpiredError("it has expired");
  if (wallMs < certificate.issuedMs - CLOCK_SKEW_MS) throw new CertificateExpiredError("it is not valid yet");
}

/** Sign the cluster record. */
export function signClusterRecord(
  clusterSigner: Signer,
  anchorKey: Uint8Array,
  anchorEpoch: number,
): Uint8Array {
  return signStatement(clusterSigner, RECORD_DOMAIN, [
    VERSION,
    clusterSigner.publicKey,
    anchorKey,
    anchorEpoch,
  ]);
}

/** Verify a cluster record; with `expected`, of that cluster. @throws {WrongClusterError}, {CertificateInvalidError}. */
export function openClusterRecord(digests: Digests, bytes: Uint8Array, expected?: ClusterId): ClusterRecord {
  const statement = splitStatement(bytes, "a cluster record");
  const reader = peekBody(statement, "a cluster record");
  reader.int("version", VERSION, VERSION);
  const clusterKey = reader.bytes("cluster key", KEY_BYTES, KEY_BYTES);
  const anchorKey = reader.bytes("anchor key", KEY_BYTES, KEY_BYTES);
  const anchorEpoch = reader.int("anchor epoch", Number.MAX_SAFE_INTEGER, 1);
  reader.end();
  const cluster = clusterIdOf(digests, clusterKey);
  if (expected !== undefined && cluster !== expected) throw new WrongClusterError(cluster, expected);
  if (!verifyStatement(digests, clusterKey, RECORD_DOMAIN, statement))
    throw new CertificateInvalidError("the cluster key did not sign the cluster record");
  return { cluster, clusterKey, anchor: nodeIdOf(anchorKey, digests.sha256), anchorEpoch };
}

/** The id of the cluster with this key. */
export function clusterIdOf(digests: Digests, clusterKey: Uint8Array): ClusterId {
  return toHex(digests.sha256(clusterKey)) as ClusterId;
}
