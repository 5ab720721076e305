/**
 * Which carrier a session's shared stream gets.
 *
 * CC1. `tls-only`: TLS. `quic-only`: QUIC, and sessions over TLS are neither dialled nor taken. `auto`: QUIC where both
 *      ends have it, else TLS.
 * CC2. In `auto` a dial starts with QUIC; when that fails, or is not complete after 250 ms, TLS is dialled too. The first
 *      stream that is proved wins, the other dial is abandoned. The error of a dial that failed in both ways is TLS's;
 *      when TLS has failed, QUIC has one second left.
 * CC3. An address where TLS won is dialled by TLS alone for five minutes; at most 256 addresses are remembered.
 * CC4. Bulk streams are TLS (K8), so TLS listens in every mode, and every carrier listens at the same port number.
 */
import type { Clock, HostPort, Timers } from "@glia-os/abi/ports";
import { AddressInUseError, CarrierUnavailableError, printAddress } from "../errors.ts";
import type { Carrier, CarrierName, Handshake } from "./carrier.ts";
import { raceDials } from "./dial-race.ts";

/** Which carriers a transport uses for requests (CC1). */
export type TransportMode = "auto" | "quic-only" | "tls-only";

/** What TLS waits for in `auto`, in milliseconds (CC2): the value RFC 8305 section 5 recommends for such a race. */
const HEAD_START_MS = 250;
/** What QUIC still gets when TLS has failed, in milliseconds (CC2): a handshake that lost one packet takes as long. */
const RESPITE_MS = 1000;
const REMEMBER_TLS_MS = 5 * 60_000;
const REMEMBERED_ADDRESSES = 256;
/** Port 0: tries until a number is free for every carrier. */
const PORT_TRIES = 16;

/** What choosing needs. */
export interface ChoiceParts {
  readonly mode: TransportMode;
  readonly tls: Carrier;
  readonly quic: Carrier | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** The carriers of one transport. */
export class CarrierChoice {
  readonly #parts: ChoiceParts;
  readonly #tlsUntilMs = new Map<string, number>();

  /** @throws {CarrierUnavailableError} for `quic-only` without a QUIC carrier */
  constructor(parts: ChoiceParts) {
    if (parts.mode === "quic-only" && parts.quic === undefined) throw new CarrierUnavailableError("quic");
    this.#parts = parts.mode === "tls-only" ? { ...parts, quic: undefined } : parts;
  }

  /** Whether there is a QUIC carrier in use. */
  get hasQuic(): boolean {
    return this.#parts.quic !== undefined;
  }

  /** Whether a session may have its shared stream on this carrier (CC1). */
  takesSessions(carrier: CarrierName): boolean {
    return carrier === "quic" || this.#parts.mode !== "quic-only";
  }

  /** Listen with every carrier at one port number (CC4). */
  async listen(bind: HostPort, incoming: (handshake: Handshake) => void): Promise<HostPort> {
    const { tls, quic } = this.#parts;
    for (let left = PORT_TRIES; ; left--) {
      const bound = await tls.listen(bind, incoming);
      try {
        await quic?.listen(bound, incoming);
        return bound;
      } catch (error) {
        await tls.stop();
        if (bind.port !== 0 || left === 1 || !(error instanceof AddressInUseError)) throw error;
      }
    }
  }

  /** Take no more connections. */
  async stop(): Promise<void> {
    await Promise.all([this.#parts.tls.stop(), this.#parts.quic?.stop()]);
  }

  /** Dial for a bulk stream (CC4). */
  dialBulk(address: HostPort): Handshake {
    return this.#parts.tls.dial(address);
  }

  /** Dial for the shared stream of a session (CC1-CC3). */
  dialShared(address: HostPort): Handshake {
    const { mode, tls, quic, clock } = this.#parts;
    if (quic === undefined) return tls.dial(address);
    if (mode === "quic-only") return quic.dial(address);
    const until = this.#tlsUntilMs.get(printAddress(address));
    if (until !== undefined && clock.monotonicMs() < until) return tls.dial(address);
    return raceDials({
      first: quic.dial(address),
      second: () => tls.dial(address),
      headStartMs: HEAD_START_MS,
      respiteMs: RESPITE_MS,
      timers: this.#parts.timers,
      secondWon: () => this.#rememberTls(address),
    });
  }

  #rememberTls(address: HostPort): void {
    const key = printAddress(address);
    this.#tlsUntilMs.delete(key);
    this.#tlsUntilMs.set(key, this.#parts.clock.monotonicMs() + REMEMBER_TLS_MS);
    if (this.#tlsUntilMs.size <= REMEMBERED_ADDRESSES) return;
    const oldest = this.#tlsUntilMs.keys().next().value;
    if (oldest !== undefined) this.#tlsUntilMs.delete(oldest);
  }
}
