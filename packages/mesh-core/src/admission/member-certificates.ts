/**
 * Certificates of members that are not at the other end of a session: carried by statements that others pass on.
 *
 * MC1. A certificate counts if a cluster key signed it that is accepted now, it is valid now, and its node was not removed. Only the
 *      first of these is remembered, at most {@link OPENED_MAX} certificates; the others are judged every time.
 */

import { toHex } from "@glia-os/abi/ids";
import type { Digests } from "@glia-os/abi/ports";
import { CertificateInvalidError, NodeRemovedError } from "../errors.ts";
import { type Certificate, checkCertificate, issuerOf } from "./certificate.ts";
import type { ClusterKeys } from "./cluster-keys.ts";
import type { Removals } from "./removals.ts";

/** Opened certificates remembered. */
export const OPENED_MAX = 8192;

/** Opens them for one node. */
export class MemberCertificates {
  readonly #digests: Digests;
  readonly #opened = new Map<string, Certificate>();

  constructor(digests: Digests) {
    this.#digests = digests;
  }

  /** A certificate that counts now (MC1). @throws certificate errors, {NodeRemovedError}. */
  open(bytes: Uint8Array, keys: ClusterKeys, removals: Removals, wallMs: number): Certificate {
    const key = toHex(this.#digests.sha256(bytes));
    const known = this.#opened.get(key);
    if (known !== undefined && !keys.accepts(issuerOf(bytes), wallMs))
      throw new CertificateInvalidError("the cluster key that signed it counts no more");
    const certificate = known ?? keys.openCertificate(bytes, wallMs);
    checkCertificate(certificate, certificate.nodeKey, wallMs);
    if (removals.covers(certificate)) throw new NodeRemovedError(certificate.node);
    if (known === undefined) this.#remember(key, certificate);
    return certificate;
  }

  #remember(key: string, certificate: Certificate): void {
    if (this.#opened.size >= OPENED_MAX) this.#opened.clear();
    this.#opened.set(key, certificate);
  }
}
