/**
 * What members say about themselves and each other (docs/spec/membership.md).
 *
 * MS1. A member record is signed by its subject and carries the subject's membership certificate: nobody else can make a member
 *      appear, refute or leave.
 * MS2. An accusation is signed by its accuser and names the exact boot epoch and incarnation it is about.
 * MS3. Statements sign the cluster id with them: those of another cluster do not verify.
 * MS4. A removal, and a new cluster key, are signed by a cluster key: nobody else can remove a node.
 * MS5. A statement or certificate that was verified once is known by its hash and costs no second verification.
 */
import { fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Digests, HostPort, Signer } from "@glia-os/abi/ports";
import { type Certificate, CREDENTIAL_MAX, claimedNode, issuerOf } from "../admission/certificate.ts";
import type { ClusterKeys } from "../admission/cluster-keys.ts";
import type { Removal } from "../admission/removals.ts";
import { ascii, concat, sameBytes } from "../codec/ascii.ts";
import { decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import {
  KEY_BYTES,
  peekBody,
  SIGNATURE_BYTES,
  type Statement,
  signStatement,
  splitStatement,
  verifyStatement,
} from "../codec/signed.ts";
import { CertificateInvalidError } from "../errors.ts";

/** Largest statement in bytes: at least two fit a datagram. */
export const STATEMENT_MAX = 560;
/** Longest host name in a member record. */
export const HOST_MAX = 96;
/** Longest node name. */
export const NAME_MAX = 32;

/** What a member says about itself. */
export interface MemberRecord {
  readonly name: string;
  readonly address: HostPort;
  readonly bootEpoch: number;
  readonly incarnation: number;
  /** The member goes, for good under this boot epoch. */
  readonly left: boolean;
}

/** What a member says about another. */
export interface Accusation {
  readonly subject: NodeId;
  readonly accuser: NodeId;
  readonly bootEpoch: number;
  readonly incarnation: number;
  readonly verdict: "suspect" | "dead";
}

/** A statement as it arrived: versions are readable, signatures are not checked yet. */
export type Heard =
  | {
      readonly type: "record";
      readonly bytes: Uint8Array;
      readonly node: NodeId;
      readonly record: MemberRecord;
      /** Whether its certificate rests on a cluster key that was replaced and counts no more: no news, and nobody's fault. */
      lapsed(): boolean;
      verify(): Certificate;
    }
  | {
      readonly type: "accusation";
      readonly bytes: Uint8Array;
      readonly accusation: Accusation;
      verify(accuserKey: Uint8Array): boolean;
    }
  | {
      readonly type: "removal";
      readonly bytes: Uint8Array;
      readonly removal: Removal;
      /** Whether it rests on a cluster key that was replaced and counts no more. */
      lapsed(): boolean;
      /** Whether the newest cluster key is said to have signed it. */
      isNewest(): boolean;
      /** @throws {CertificateInvalidError}. */
      verify(): void;
    }
  | {
      readonly type: "succession";
      readonly bytes: Uint8Array;
      /** For {@link ClusterKeys.adopt}, which verifies it. */
      readonly succession: Uint8Array;
    };

const RECORD = 0;
const ACCUSATION = 1;
const REMOVAL = 2;
const SUCCESSION = 3;
/** Verified statements and certificates that are remembered, each. */
const VERIFIED_MAX = 32_768;
const VERDICTS = ["suspect", "dead"] as const;

/** Signs and reads the statements of one cluster. */
export class Statements {
  readonly #digests: Digests;
  readonly #keys: ClusterKeys;
  readonly #wallMs: () => number;
  readonly #recordDomain: Uint8Array;
  readonly #accusationDomain: Uint8Array;
  readonly #removalDomain: Uint8Array;
  readonly #certificates = new Map<string, Certificate>();
  readonly #verified = new Set<string>();
  #verifications = 0;

  constructor(digests: Digests, keys: ClusterKeys, wallMs: () => number) {
    this.#digests = digests;
    this.#keys = keys;
    this.#wallMs = wallMs;
    const cluster = fromHex(keys.cluster);
    this.#recordDomain = concat(ascii("glia/member-record/v1\0"), cluster);
    this.#accusationDomain = concat(ascii("glia/accusation/v1\0"), cluster);
    this.#removalDomain = concat(ascii("glia/removal/v1\0"), cluster);
  }

  /** Signatures verified so far. */
  get verifications(): number {
    return this.#verifications;
  }

  /** Sign this node's own record. */
  signRecord(signer: Signer, certificate: Uint8Array, record: MemberRecord): Uint8Array {
    const { name, address, bootEpoch, incarnation, left } = record;
    const body = [name, address.host, address.port, bootEpoch, incarnation, left];
    return encodeCbor([RECORD, certificate, signStatement(signer, this.#recordDomain, body)]);
  }

  /** Sign an accusation by this node. */
  signAccusation(signer: Signer, accusation: Accusation): Uint8Array {
    const { subject, accuser, bootEpoch, incarnation, verdict } = accusation;
    const body = [fromHex(subject), fromHex(accuser), bootEpoch, incarnation, VERDICTS.indexOf(verdict)];
    return encodeCbor([ACCUSATION, signStatement(signer, this.#accusationDomain, body)]);
  }

  /** Sign a removal with the cluster key. */
  signRemoval(clusterSigner: Signer, { node, removedMs, untilMs }: Removal): Uint8Array {
    const body = [clusterSigner.publicKey, fromHex(node), removedMs, untilMs];
    return encodeCbor([REMOVAL, signStatement(clusterSigner, this.#removalDomain, body)]);
  }

  /** A key succession as a statement. */
  succession(succession: Uint8Array): Uint8Array {
    return encodeCbor([SUCCESSION, succession]);
  }

  /** Read a statement. @throws {MalformedMessageError}. Call `verify` before believing it. */
  read(bytes: Uint8Array): Heard {
    const reader = new FieldReader(decodeCbor(bytes, "a statement"), "a statement");
    const type = reader.int("type", SUCCESSION);
    if (type === ACCUSATION) return this.#readAccusation(bytes, reader);
    if (type === REMOVAL) return this.#readRemoval(bytes, reader);
    if (type === SUCCESSION) {
      const succession = reader.bytes("succession", STATEMENT_MAX, SIGNATURE_BYTES);
      reader.end();
      return { type: "succession", bytes, succession };
    }
    const certificate = reader.bytes("certificate", CREDENTIAL_MAX, 1);
    const statement = splitStatement(
      reader.bytes("record", STATEMENT_MAX, SIGNATURE_BYTES),
      "a member record",
    );
    reader.end();
    const node = claimedNode(this.#digests, certificate);
    const record = readRecord(statement);
    const verify = (): Certificate => this.#verifyRecord(bytes, certificate, statement);
    const lapsed = (): boolean =>
      this.#keys.replaced && this.#keys.retired(issuerOf(certificate), this.#wallMs());
    return { type: "record", bytes, node, record, lapsed, verify };
  }

  #readAccusation(bytes: Uint8Array, reader: FieldReader): Heard {
    const statement = splitStatement(
      reader.bytes("accusation", STATEMENT_MAX, SIGNATURE_BYTES),
      "an accusation",
    );
    reader.end();
    const fields = peekBody(statement, "an accusation");
    const accusation: Accusation = {
      subject: fields.node("subject"),
      accuser: fields.node("accuser"),
      bootEpoch: fields.int("boot epoch", Number.MAX_SAFE_INTEGER, 1),
      incarnation: fields.int("incarnation"),
      verdict: VERDICTS[fields.int("verdict", 1)] ?? "suspect",
    };
    fields.end();
    const verify = (key: Uint8Array): boolean => this.#verify(bytes, key, this.#accusationDomain, statement);
    return { type: "accusation", bytes, accusation, verify };
  }

  #readRemoval(bytes: Uint8Array, reader: FieldReader): Heard {
    const statement = splitStatement(reader.bytes("removal", STATEMENT_MAX, SIGNATURE_BYTES), "a removal");
    reader.end();
    const fields = peekBody(statement, "a removal");
    const key = fields.bytes("cluster key", KEY_BYTES, KEY_BYTES);
    const removal: Removal = {
      node: fields.node("node"),
      removedMs: fields.int("removed"),
      untilMs: fields.int("until"),
    };
    fields.end();
    const verify = (): void => {
      const accepted = this.#keys.accepts(key, this.#wallMs());
      if (!accepted || !this.#verify(bytes, key, this.#removalDomain, statement))
        throw new CertificateInvalidError("the cluster key did not sign a removal");
    };
    const lapsed = (): boolean => this.#keys.retired(key, this.#wallMs());
    const isNewest = (): boolean => sameBytes(key, this.#keys.current);
    return { type: "removal", bytes, removal, lapsed, isNewest, verify };
  }

  #open(bytes: Uint8Array): Certificate {
    const key = this.#nameOf(bytes);
    const known = this.#certificates.get(key);
    if (known !== undefined) return known;
    this.#verifications++;
    const certificate = this.#keys.openCertificate(bytes, this.#wallMs());
    if (this.#certificates.size >= VERIFIED_MAX) this.#certificates.clear();
    this.#certificates.set(key, certificate);
    return certificate;
  }

  #verifyRecord(bytes: Uint8Array, certificateBytes: Uint8Array, statement: Statement): Certificate {
    const certificate = this.#open(certificateBytes);
    if (!this.#verify(bytes, certificate.nodeKey, this.#recordDomain, statement))
      throw new CertificateInvalidError("its member record is not signed by the member");
    return certificate;
  }

  /** MS5: a statement is remembered together with the key that signed it. */
  #verify(bytes: Uint8Array, key: Uint8Array, domain: Uint8Array, statement: Statement): boolean {
    const name = this.#nameOf(concat(key, bytes));
    if (this.#verified.has(name)) return true;
    this.#verifications++;
    if (!verifyStatement(this.#digests, key, domain, statement)) return false;
    if (this.#verified.size >= VERIFIED_MAX) this.#verified.clear();
    this.#verified.add(name);
    return true;
  }

  #nameOf(bytes: Uint8Array): string {
    return toHex(this.#digests.sha256(bytes));
  }
}

function readRecord(statement: Statement): MemberRecord {
  const fields = peekBody(statement, "a member record");
  const record = {
    name: fields.text("name", NAME_MAX, 1),
    address: { host: fields.text("host", HOST_MAX, 1), port: fields.int("port", 65_535, 1) },
    bootEpoch: fields.int("boot epoch", Number.MAX_SAFE_INTEGER, 1),
    incarnation: fields.int("incarnation"),
    left: fields.bool("left"),
  };
  fields.end();
  return record;
}
