/**
 * Notices that the anchor is gone and that it is back.
 *
 * AW1. The anchor counts as gone after {@link MISSES} pings in a row without an answer: within eight seconds of its end.
 * AW2. `lost` and `back` alternate, starting with `lost`.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";

/** Between an answer and the next ping. */
export const PING_EVERY_MS = 1000;
/** How long an answer may take. */
export const PING_TIMEOUT_MS = 2500;
/** Pings without an answer that make the anchor count as gone. */
export const MISSES = 2;

/** What the watch needs. */
export interface AnchorWatchParts {
  readonly timers: Timers;
  readonly ping: (timeoutMs: number) => Promise<void>;
  readonly lost: (why: string) => void;
  readonly back: () => void;
}

/** Pings the anchor until it is stopped. */
export class AnchorWatch {
  readonly #parts: AnchorWatchParts;
  #timer: TimerHandle | undefined;
  #misses = 0;
  #stopped = false;

  constructor(parts: AnchorWatchParts) {
    this.#parts = parts;
    this.#again();
  }

  /** Stop pinging. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #again(): void {
    if (!this.#stopped) this.#timer = this.#parts.timers.schedule(PING_EVERY_MS, () => void this.#ping());
  }

  async #ping(): Promise<void> {
    try {
      await this.#parts.ping(PING_TIMEOUT_MS);
      if (this.#misses >= MISSES && !this.#stopped) this.#parts.back();
      this.#misses = 0;
    } catch (error) {
      this.#misses++;
      if (this.#misses === MISSES && !this.#stopped)
        this.#parts.lost(`${MISSES} pings unanswered (${errorCodeOf(error)})`);
    }
    this.#again();
  }
}
