/**
 * The certificate an endpoint shows, and when the next one is due.
 *
 * R1. New connections show the newest certificate; connections that exist keep theirs and go on.
 * R2. At 30 days left the certificate is renewed, without anybody asking, and the listener is told.
 */
import { constants } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Clock, Random, TimerHandle, Timers } from "@glia-os/abi/ports";
import { CERTIFICATE_VALIDITY_MS, issueNodeCertificate, type NodeCertificate } from "./node-certificate.ts";
import type { NodeIdentity } from "./node-identity.ts";

const HOUR_MS = 3_600_000;
/** A certificate with this much left, in milliseconds, is renewed: 30 days. */
export const ROTATE_AT_REMAINING_MS: number = 30 * 24 * HOUR_MS;
/** The wall clock may jump, so it is looked at this often instead of trusting one long timer. */
const CHECK_INTERVAL_MS = HOUR_MS;

/** A certificate was replaced. */
export interface CertificateRotated {
  /** End of the certificate that was in use until now, milliseconds since the Unix epoch. */
  readonly previousNotAfterMs: number;
  /** End of the new one. */
  readonly notAfterMs: number;
}

/** What rotation needs. */
export interface RotationPorts {
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Validity of each certificate in milliseconds. */
  readonly validityMs: number;
}

interface Shown {
  readonly certificate: NodeCertificate;
  readonly context: SecureContext;
  readonly notAfterMs: number;
}

/** Holds the current certificate as a TLS context. */
export class CertificateRotation {
  readonly #ports: RotationPorts;
  readonly #rotated: (event: CertificateRotated) => void;
  readonly #watchers = new Set<() => void>();
  #shown: Shown;
  #timer: TimerHandle | undefined;

  constructor(ports: RotationPorts, rotated: (event: CertificateRotated) => void) {
    this.#ports = ports;
    this.#rotated = rotated;
    this.#shown = this.#issue();
    this.#watch();
  }

  /** What a new connection shows (R1). */
  get context(): SecureContext {
    return this.#shown.context;
  }

  /** What a new connection shows (R1), for carriers that are no `node:tls`. */
  get certificate(): NodeCertificate {
    return this.#shown.certificate;
  }

  /** Call when the certificate was replaced; gives the function that ends this. */
  watch(replaced: () => void): () => void {
    this.#watchers.add(replaced);
    return () => this.#watchers.delete(replaced);
  }

  /** End of the current certificate, milliseconds since the Unix epoch. */
  get notAfterMs(): number {
    return this.#shown.notAfterMs;
  }

  /** Replace the certificate now (R1). */
  rotate(): CertificateRotated {
    const previousNotAfterMs = this.#shown.notAfterMs;
    this.#shown = this.#issue();
    const event = { previousNotAfterMs, notAfterMs: this.#shown.notAfterMs };
    for (const replaced of this.#watchers) replaced();
    this.#rotated(event);
    return event;
  }

  /** Stop watching. */
  stop(): void {
    this.#timer?.cancel();
  }

  #issue(): Shown {
    const { identity, clock, random, validityMs } = this.#ports;
    const certificate = issueNodeCertificate(identity, { notBeforeMs: clock.wallMs(), validityMs }, random);
    const context = createSecureContext({
      cert: certificate.cert,
      key: certificate.key,
      minVersion: "TLSv1.3",
      maxVersion: "TLSv1.3",
      // Resumption would skip the certificate; sessions that resume are refused as well (carriers/tls-carrier.ts).
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    return { certificate, context, notAfterMs: certificate.notAfterMs };
  }

  /** A validity under 90 days keeps the same proportion: renewal when a third is left (R2). */
  #watch(): void {
    const { clock, timers, validityMs } = this.#ports;
    const renewAtMs = ROTATE_AT_REMAINING_MS * (validityMs / CERTIFICATE_VALIDITY_MS);
    const check = () => {
      if (this.#shown.notAfterMs - clock.wallMs() <= renewAtMs) this.rotate();
      schedule();
    };
    const schedule = () => {
      const remainingMs = this.#shown.notAfterMs - clock.wallMs() - renewAtMs;
      this.#timer = timers.schedule(
        Math.min(Math.max(remainingMs, SHORTEST_WAIT_MS), CHECK_INTERVAL_MS),
        check,
      );
    };
    schedule();
  }
}

/** Keeps a clock that stands still or runs backwards from making the watch spin. */
const SHORTEST_WAIT_MS = 1000;
