/**
 * The keys of one cluster: the root, whose hash is the cluster's id, and its successors (docs/spec/join.md).
 *
 * CK1. A successor is named by a record signed with the key before it. The cluster's id stays.
 * CK2. The newest key is accepted always; one before it until its overlap ends, with {@link CLOCK_SKEW_MS} of tolerance.
 * CK3. A key has one successor: a second record for the same key is refused. At most {@link SUCCESSIONS_MAX} follow each other.
 */
import { type ClusterId, fromHex, toHex } from "@glia-os/abi/ids";
import type { Digests, Signer } from "@glia-os/abi/ports";
import { ascii, sameBytes } from "../codec/ascii.ts";
import { KEY_BYTES, peekBody, signStatement, splitStatement, verifyStatement } from "../codec/signed.ts";
import { CertificateInvalidError, ProtocolViolationError, WrongClusterError } from "../errors.ts";
import type { Credentials } from "../mesh-types.ts";
import {
  type Certificate,
  CLOCK_SKEW_MS,
  type ClusterRecord,
  clusterIdOf,
  issuerOf,
  openCertificate,
  openClusterRecord,
} from "./certificate.ts";

/** Most successors of a root key. */
export const SUCCESSIONS_MAX = 64;
const DOMAIN = ascii("glia/key-succession/v1\0");
const VERSION = 1;

interface AcceptedKey {
  readonly key: Uint8Array;
  untilMs: number;
}

/** Sign that `next` follows the key of `signer`; certificates of the old key count until `overlapUntilMs`. */
export function signSuccession(
  signer: Signer,
  cluster: ClusterId,
  next: Uint8Array,
  overlapUntilMs: number,
): Uint8Array {
  return signStatement(signer, DOMAIN, [VERSION, fromHex(cluster), signer.publicKey, next, overlapUntilMs]);
}

/** The keys of one cluster as one node knows them. */
export class ClusterKeys {
  readonly cluster: ClusterId;
  readonly #digests: Digests;
  readonly #chain: AcceptedKey[] = [];
  readonly #records: Uint8Array[] = [];

  /** @throws {WrongClusterError} when `expected` is another cluster than the root's. */
  constructor(digests: Digests, root: Uint8Array, expected?: ClusterId) {
    this.#digests = digests;
    this.cluster = clusterIdOf(digests, root);
    if (expected !== undefined && this.cluster !== expected)
      throw new WrongClusterError(this.cluster, expected);
    this.#chain.push({ key: root, untilMs: Number.POSITIVE_INFINITY });
  }

  /** The key that signs now. */
  get current(): Uint8Array {
    return (this.#chain.at(-1) as AcceptedKey).key;
  }

  /** The successions from the root on, to show to others. */
  get successions(): readonly Uint8Array[] {
    return this.#records;
  }

  /** Note a succession; whether it is new. @throws {CertificateInvalidError}, {ProtocolViolationError}. */
  adopt(bytes: Uint8Array): boolean {
    if (this.#records.some((known) => sameBytes(known, bytes))) return false;
    const statement = splitStatement(bytes, "a key succession");
    const { cluster, before, next, untilMs } = readSuccession(bytes);
    if (cluster !== this.cluster) throw new WrongClusterError(cluster, this.cluster);
    const index = this.#chain.findIndex(({ key }) => sameBytes(key, before));
    if (index < 0) throw new CertificateInvalidError("the key before a new cluster key is not known");
    if (index < this.#chain.length - 1) throw new ProtocolViolationError("a cluster key has two successors");
    if (this.#records.length >= SUCCESSIONS_MAX)
      throw new ProtocolViolationError(`more than ${SUCCESSIONS_MAX} cluster keys followed each other`);
    if (!verifyStatement(this.#digests, before, DOMAIN, statement))
      throw new CertificateInvalidError("the cluster key did not sign its successor");
    (this.#chain[index] as AcceptedKey).untilMs = untilMs;
    this.#chain.push({ key: next, untilMs: Number.POSITIVE_INFINITY });
    this.#records.push(bytes);
    return true;
  }

  /** Whether what `key` signed counts at `wallMs` (CK2). */
  accepts(key: Uint8Array, wallMs: number): boolean {
    return this.#chain.some((known) => wallMs <= known.untilMs + CLOCK_SKEW_MS && sameBytes(known.key, key));
  }

  /** Whether the root key has a successor. */
  get replaced(): boolean {
    return this.#chain.length > 1;
  }

  /** Whether `key` is one of this cluster's that was replaced and counts no more at `wallMs`. */
  retired(key: Uint8Array, wallMs: number): boolean {
    return this.#chain.some((known) => wallMs > known.untilMs + CLOCK_SKEW_MS && sameBytes(known.key, key));
  }

  /** Whether the newest key issued a certificate. */
  isCurrent(certificate: Uint8Array): boolean {
    return sameBytes(issuerOf(certificate), this.current);
  }

  /** Verify a certificate of this cluster. @throws {CertificateInvalidError}, {MalformedMessageError}. */
  openCertificate(bytes: Uint8Array, wallMs: number): Certificate {
    const issuer = issuerOf(bytes);
    this.#require(issuer, wallMs, () => new CertificateInvalidError("another cluster issued it"));
    return openCertificate(this.#digests, issuer, bytes);
  }

  /** Verify a cluster record of this cluster. @throws {WrongClusterError}, {CertificateInvalidError}. */
  openRecord(bytes: Uint8Array, wallMs: number): ClusterRecord {
    const record = openClusterRecord(this.#digests, bytes);
    this.#require(record.clusterKey, wallMs, () => new WrongClusterError(record.cluster, this.cluster));
    return { ...record, cluster: this.cluster };
  }

  #require(key: Uint8Array, wallMs: number, unknown: () => Error): void {
    if (this.accepts(key, wallMs)) return;
    if (this.#chain.some((known) => sameBytes(known.key, key)))
      throw new CertificateInvalidError("the cluster key that signed it was replaced and counts no more");
    throw unknown();
  }
}

/** The root key behind a cluster record: the first succession's old key, or the record's own key. */
export function rootKeyOf(clusterKey: Uint8Array, successions: readonly Uint8Array[]): Uint8Array {
  const [first] = successions;
  return first === undefined ? clusterKey : readSuccession(first).before;
}

/** Whose credentials these are: the cluster, and its newest key as far as they say. Nothing is verified. @throws {MalformedMessageError}. */
export function credentialsOf(
  digests: Digests,
  { clusterRecord, successions = [] }: Pick<Credentials, "clusterRecord" | "successions">,
): { readonly cluster: ClusterId; readonly newestKey: Uint8Array } {
  const { clusterKey } = openClusterRecord(digests, clusterRecord);
  const last = successions.at(-1);
  const root = rootKeyOf(clusterKey, successions);
  return {
    cluster: clusterIdOf(digests, root),
    newestKey: last === undefined ? clusterKey : readSuccession(last).next,
  };
}

function readSuccession(bytes: Uint8Array): {
  readonly cluster: ClusterId;
  readonly before: Uint8Array;
  readonly next: Uint8Array;
  readonly untilMs: number;
} {
  const reader = peekBody(splitStatement(bytes, "a key succession"), "a key succession");
  reader.int("version", VERSION, VERSION);
  const cluster = toHex(reader.bytes("cluster", 32, 32)) as ClusterId;
  const before = reader.bytes("key", KEY_BYTES, KEY_BYTES);
  const next = reader.bytes("next key", KEY_BYTES, KEY_BYTES);
  const untilMs = reader.int("overlap");
  reader.end();
  return { cluster, before, next, untilMs };
}
