/**
 * How long a suspect has to refute (Lifeguard, section IV.B; formula as in memberlist suspicion.go).
 *
 * SU1. It starts at the longest time and falls to the least as distinct members accuse independently.
 * SU2. With nobody who could confirm, the least time holds from the start.
 * SU3. A fixed time, when the parameters have one, holds for any size and any number of accusers.
 */
import { log10 } from "./logarithm.ts";
import type { MembershipParameters } from "./parameters.ts";

/** Natural logarithm of n + 1 for n confirmations, 0 to 8; more count as 8. */
const LN_PLUS_ONE: readonly number[] = [0, Math.LN2, 1.0986, 1.3863, 1.6094, 1.7918, 1.9459, 2.0794, 2.1972];

/** One suspicion: who accused, and when it ends. */
export class Suspicion {
  readonly #startedMs: number;
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #needed: number;
  readonly #accusers: Set<string>;

  constructor(parameters: MembershipParameters, members: number, accuser: string, nowMs: number) {
    const { suspicionMult, suspicionMaxMult, probeIntervalMs, suspicionFixedMs } = parameters;
    const scaledMs = suspicionMult * Math.max(1, log10(Math.max(1, members))) * probeIntervalMs;
    this.#startedMs = nowMs;
    this.#minMs = suspicionFixedMs > 0 ? suspicionFixedMs : scaledMs;
    this.#maxMs = suspicionFixedMs > 0 ? suspicionFixedMs : suspicionMaxMult * scaledMs;
    const wanted = Math.min(8, Math.max(0, suspicionMult - 2));
    this.#needed = members - 2 < wanted ? 0 : wanted;
    this.#accusers = new Set([accuser]);
  }

  /** Whether an accusation by `accuser` would confirm: it is a new accuser, and one more is of use. */
  counts(accuser: string): boolean {
    return !this.#accusers.has(accuser) && this.#accusers.size <= this.#needed;
  }

  /** Note an accuser; whether it is a new one that still counts. */
  confirm(accuser: string): boolean {
    if (!this.counts(accuser)) return false;
    this.#accusers.add(accuser);
    return true;
  }

  /** When the suspect is dead unless it refutes, on the clock of `nowMs` (SU1, SU2). */
  deadlineMs(): number {
    if (this.#needed === 0) return this.#startedMs + this.#minMs;
    const confirmations = Math.min(this.#needed, this.#accusers.size - 1);
    const share = (LN_PLUS_ONE[confirmations] ?? 0) / (LN_PLUS_ONE[this.#needed] ?? 1);
    const span = this.#maxMs - share * (this.#maxMs - this.#minMs);
    return this.#startedMs + Math.max(this.#minMs, Math.floor(span));
  }
}
