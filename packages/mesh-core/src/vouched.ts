/**
 * Statements of a member that travel without a session of its own: each carries the membership certificate of its speaker
 * (docs/spec/registry.md, "Vouched statements").
 *
 * VS1. Nothing is believed before the certificate was opened under the cluster key and the speaker's signature was verified over
 *      (domain, cluster, body). The domain keeps statements of one kind from passing as another.
 * VS2. The fields can be read before the signature is verified, so that what is old is dropped for the price of a decode.
 * VS3. Verified statements are remembered by hash, at most {@link REMEMBERED_MAX}; opening certificates is the port's, which may remember too.
 */
import { type ClusterId, fromHex, toHex } from "@glia-os/abi/ids";
import type { Digests, Signer } from "@glia-os/abi/ports";
import { type Certificate, CREDENTIAL_MAX } from "./admission/certificate.ts";
import { ascii, concat } from "./codec/ascii.ts";
import { type CborValue, decodeCbor, encodeCbor } from "./codec/cbor.ts";
import { FieldReader } from "./codec/reader.ts";
import { peekBody, SIGNATURE_BYTES, signStatement, splitStatement, verifyStatement } from "./codec/signed.ts";
import { CertificateInvalidError } from "./errors.ts";

/** Verified statements remembered. */
export const REMEMBERED_MAX = 8192;

/** What speaking and hearing take. */
export interface VouchOptions {
  readonly signer: Signer;
  readonly digests: Digests;
  readonly cluster: () => ClusterId;
  /** This node's membership certificate. */
  readonly certificate: () => Uint8Array;
  /** Open a certificate of the cluster. @throws when it is not one or not valid now. */
  readonly open: (certificate: Uint8Array) => Certificate;
}

/** A statement taken apart. */
export interface Vouched {
  /** Who speaks, from its certificate. */
  readonly speaker: Certificate;
  readonly bytes: Uint8Array;
  /** The fields of the body (VS2). */
  fields(): FieldReader;
  /** @throws {CertificateInvalidError} when the speaker did not sign it (VS1). */
  verify(): void;
}

/** Signs and reads the vouched statements of one kind. */
export class Vouch {
  readonly #o: VouchOptions;
  readonly #name: string;
  readonly #what: string;
  readonly #max: number;
  readonly #verified = new Set<string>();

  /** `name` is the domain, such as `agent-record`; `max` the most bytes of a statement. */
  constructor(options: VouchOptions, name: string, what: string, max: number) {
    this.#o = options;
    this.#name = name;
    this.#what = what;
    this.#max = max;
  }

  /** Sign as this node. */
  sign(body: CborValue): Uint8Array {
    const { signer, certificate } = this.#o;
    return encodeCbor([certificate(), signStatement(signer, this.#domain(), body)]);
  }

  /** Take a statement apart. @throws {MalformedMessageError}, and what opening the certificate throws. */
  read(bytes: Uint8Array): Vouched {
    const reader = new FieldReader(decodeCbor(bytes, this.#what), this.#what);
    const certificate = reader.bytes("certificate", CREDENTIAL_MAX, 1);
    const signed = reader.bytes("statement", this.#max, SIGNATURE_BYTES);
    reader.end();
    const statement = splitStatement(signed, this.#what, this.#max);
    const speaker = this.#o.open(certificate);
    const verify = (): void => {
      const key = toHex(this.#o.digests.sha256(bytes));
      if (this.#verified.has(key)) return;
      if (!verifyStatement(this.#o.digests, speaker.nodeKey, this.#domain(), statement))
        throw new CertificateInvalidError(`${this.#what} is not signed by its speaker`);
      this.#remember(key);
    };
    return { speaker, bytes, fields: () => peekBody(statement, this.#what), verify };
  }

  #domain(): Uint8Array {
    return concat(ascii(`glia/${this.#name}/v1\0`), fromHex(this.#o.cluster()));
  }

  #remember(key: string): void {
    if (this.#verified.size >= REMEMBERED_MAX) {
      for (const oldest of this.#verified) {
        this.#verified.delete(oldest);
        break;
      }
    }
    this.#verified.add(key);
  }
}
