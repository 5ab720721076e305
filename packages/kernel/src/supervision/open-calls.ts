/**
 * The calls a server took and did not answer yet.
 *
 * OC1. It holds at most {@link LEAST_ROOM} calls, or twice those somebody waited for when it was last swept: calls that were answered
 *      elsewhere or given up by their callers do not pile up.
 */
import type { Call } from "../call.ts";

/** Calls kept before the first sweep. */
export const LEAST_ROOM = 64;

/** Unanswered calls. Internal. */
export class OpenCalls {
  readonly #calls: Set<Call> = new Set();
  #sweepAt = LEAST_ROOM;

  /** How many are kept, also of those that nobody waits for any more. */
  get size(): number {
    return this.#calls.size;
  }

  add(call: Call): void {
    this.#calls.add(call);
    if (this.#calls.size <= this.#sweepAt) return;
    for (const old of this.#calls) if (!old.open) this.#calls.delete(old);
    this.#sweepAt = Math.max(LEAST_ROOM, 2 * this.#calls.size);
  }

  delete(call: Call): void {
    this.#calls.delete(call);
  }

  all(): Iterable<Call> {
    return this.#calls;
  }
}
