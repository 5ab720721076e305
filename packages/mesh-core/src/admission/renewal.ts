/**
 * A member's certificate is renewed before it ends (docs/spec/join.md).
 *
 * RN1. Renewal is due when a third of the validity is left, and at once when the certificate's issuer is no longer the current cluster key.
 * RN2. The anchor is asked first, then other core members; whoever holds the cluster key answers. Failed rounds pause longer and longer.
 * RN3. The holder of the cluster key issues for the node the session proved, with the role it has: nothing in the request can change either.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock, Random, TimerHandle, Timers } from "@glia-os/abi/ports";
import { decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import type { CallOptions, Credentials } from "../mesh-types.ts";
import { Pauses } from "../peers/pauses.ts";
import { CREDENTIAL_MAX } from "./certificate.ts";

/** The call a member makes to the holder of the cluster key. */
export const RENEW_METHOD = "member.renew";
/** Renewal is due when this share of the validity is left. */
export const RENEW_SHARE: number = 1 / 3;
/** A due time further away than this is looked at again. */
const LOOK_AGAIN_MS = 3_600_000;
const PAUSE_MS = [1000, 600_000] as const;
const CALL_MS = 5000;

/** What renewal needs. */
export interface RenewalOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** When the present certificate was issued and ends, and whether the current cluster key issued it. */
  validity(): { readonly issuedMs: number; readonly expiresMs: number; readonly current: boolean };
  /** Whom to ask, in this order. */
  holders(): readonly NodeId[];
  call(node: NodeId, method: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  /** Take new credentials. @throws when they are not this node's. */
  take(credentials: Pick<Credentials, "certificate" | "clusterRecord">): void;
}

/** Keeps one node's certificate valid. */
export class Renewal {
  readonly #o: RenewalOptions;
  readonly #pauses: Pauses;
  #timer: TimerHandle | undefined;
  #asking = false;
  #stopped = false;

  constructor(options: RenewalOptions) {
    this.#o = options;
    this.#pauses = new Pauses(options.random, ...PAUSE_MS);
  }

  /** Watch the certificate from now on; call again when it or the cluster key changed. */
  watch(): void {
    if (this.#stopped || this.#asking) return;
    const { clock, random } = this.#o;
    const { issuedMs, expiresMs, current } = this.#o.validity();
    const validMs = expiresMs - issuedMs;
    // Spread over a tenth of what is left, so that nodes that joined together do not ask together.
    const spread = (random.uint32() / 0x1_0000_0000) * validMs * RENEW_SHARE * 0.1;
    const dueMs = expiresMs - validMs * RENEW_SHARE + spread - clock.wallMs();
    this.#again(current ? Math.max(0, dueMs) : Math.min(spread, PAUSE_MS[0]));
  }

  /** End. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #again(delayMs: number): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    const wait = Math.min(delayMs, LOOK_AGAIN_MS);
    this.#timer = this.#o.timers.schedule(wait, () => (wait < delayMs ? this.watch() : void this.#renew()));
  }

  async #renew(): Promise<void> {
    this.#asking = true;
    const renewed = await this.#ask();
    this.#asking = false;
    if (this.#stopped) return;
    if (renewed) this.watch();
    else this.#again(this.#pauses.next());
  }

  async #ask(): Promise<boolean> {
    for (const node of this.#o.holders()) {
      if (this.#stopped) return false;
      try {
        const answer = await this.#o.call(node, RENEW_METHOD, new Uint8Array(0), { timeoutMs: CALL_MS });
        if (this.#stopped) return false;
        this.#o.take(readRenewed(answer));
        return true;
      } catch {
        // Not this one (RN2): it is out of reach, or holds no cluster key.
      }
    }
    return false;
  }
}

/** The answer to {@link RENEW_METHOD}. */
export function renewedBody({ certificate, clusterRecord }: Credentials): Uint8Array {
  return encodeCbor([certificate, clusterRecord]);
}

function readRenewed(bytes: Uint8Array): Pick<Credentials, "certificate" | "clusterRecord"> {
  const reader = new FieldReader(decodeCbor(bytes, "a renewed certificate"), "a renewed certificate");
  const certificate = reader.bytes("certificate", CREDENTIAL_MAX, 1);
  const clusterRecord = reader.bytes("cluster record", CREDENTIAL_MAX, 1);
  reader.end();
  return { certificate, clusterRecord };
}
