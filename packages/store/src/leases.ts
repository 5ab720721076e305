/**
 * Which sessions are live, judged on the monotonic clock of one process.
 *
 * L1. A lease counts from the moment this process first saw its last renewal, which is never before the holder sent it. So an expiry
 *     is never earlier than promised; after a restart, and for a session that another process wrote, it may be later by its full time.
 * L2. What is forgotten is seen anew, with its full time. A session that was refused once is removed from the tables, and so is
 *     never seen again.
 */
import type { Clock } from "@glia-os/abi/ports";
import type { StoredSession } from "./tables.ts";

/** Sessions remembered at most; the one seen longest ago is forgotten first. Twice what a store may be set to hold. */
const SEEN_MOST = 320_000;

interface Seen {
  readonly renewals: number;
  readonly deadlineMs: number;
}

/** The deadlines of sessions. */
export class Leases {
  readonly #clock: Clock;
  readonly #seen: Map<string, Seen> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A session was opened or renewed just now. */
  start({ sessionId, renewals, ttlMs }: StoredSession): void {
    this.#seen.delete(sessionId);
    this.#seen.set(sessionId, { renewals, deadlineMs: this.#clock.monotonicMs() + ttlMs });
    if (this.#seen.size <= SEEN_MOST) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      return;
    }
  }

  /** Count from now, unless this renewal was seen before (L1). */
  see(session: StoredSession): void {
    if (this.#seen.get(session.sessionId)?.renewals !== session.renewals) this.start(session);
  }

  /** Whether the lease of a stored session runs. */
  live(session: StoredSession): boolean {
    this.see(session);
    return this.#clock.monotonicMs() < (this.#seen.get(session.sessionId)?.deadlineMs ?? 0);
  }

  /** The session is over. */
  end(sessionId: string): void {
    this.#seen.delete(sessionId);
  }
}
