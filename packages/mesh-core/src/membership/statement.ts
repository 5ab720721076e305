/**
 * What members say about themselves and each other (docs/spec/membership.md).
 *
 * MS1. A member record is signed by its subject and carries the subject's membership certificate: nobody else can make a member
 *      appear, refute or leave.
 * MS2. An accusation is signed by its accuser and names the exact boot epoch and incarnation it is about.
 * MS3. Statements sign the cluster id with them: those of another cluster do not verify.
 */
import { type ClusterId, fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Digests, HostPort, Signer } from "@glia-os/abi/ports";
import { type Certificate, CREDENTIAL_MAX, openCertificate } from "../admission/certificate.ts";
import { ascii, concat } from "../codec/ascii.ts";
import { decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import {
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
      verify(): Certificate;
    }
  | {
      readonly type: "accusation";
      readonly bytes: Uint8Array;
      readonly accusation: Accusation;
      verify(accuserKey: Uint8Array): boolean;
    };

const RECORD = 0;
const ACCUSATION = 1;
const VERDICTS = ["suspect", "dead"] as const;

/** Signs and reads the statements of one cluster. */
export class Statements {
  readonly #digests: Digests;
  readonly #clusterKey: Uint8Array;
  readonly #recordDomain: Uint8Array;
  readonly #accusationDomain: Uint8Array;
  readonly #certificates = new Map<string, Certificate>();

  constructor(digests: Digests, cluster: ClusterId, clusterKey: Uint8Array) {
    this.#digests = digests;
    this.#clusterKey = clusterKey;
    this.#recordDomain = concat(ascii("glia/member-record/v1\0"), fromHex(cluster));
    this.#accusationDomain = concat(ascii("glia/accusation/v1\0"), fromHex(cluster));
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

  /** Read a statement. @throws {MalformedMessageError}. Call `verify` before believing it. */
  read(bytes: Uint8Array): Heard {
    const reader = new FieldReader(decodeCbor(bytes, "a statement"), "a statement");
    if (reader.int("type", ACCUSATION) === ACCUSATION) return this.#readAccusation(bytes, reader);
    const certificate = reader.bytes("certificate", CREDENTIAL_MAX, 1);
    const statement = splitStatement(
      reader.bytes("record", STATEMENT_MAX, SIGNATURE_BYTES),
      "a member record",
    );
    reader.end();
    const node = this.#claimedNode(certificate);
    const record = readRecord(statement);
    return { type: "record", bytes, node, record, verify: () => this.#verifyRecord(certificate, statement) };
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
    const verify = (key: Uint8Array): boolean =>
      verifyStatement(this.#digests, key, this.#accusationDomain, statement);
    return { type: "accusation", bytes, accusation, verify };
  }

  /** The node a certificate names; verified ones are remembered, so a known member costs no second verification. */
  #claimedNode(certificate: Uint8Array): NodeId {
    const opened = this.#certificates.get(toHex(certificate));
    return opened?.node ?? this.#open(certificate).node;
  }

  #open(bytes: Uint8Array): Certificate {
    const key = toHex(bytes);
    const known = this.#certificates.get(key);
    if (known !== undefined) return known;
    const certificate = openCertificate(this.#digests, this.#clusterKey, bytes);
    if (this.#certificates.size >= 8192) this.#certificates.clear();
    this.#certificates.set(key, certificate);
    return certificate;
  }

  #verifyRecord(bytes: Uint8Array, statement: Statement): Certificate {
    const certificate = this.#open(bytes);
    if (!verifyStatement(this.#digests, certificate.nodeKey, this.#recordDomain, statement))
      throw new CertificateInvalidError("its member record is not signed by the member");
    return certificate;
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
