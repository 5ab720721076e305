/**
 * Notices that the anchor is gone and that it is back.
 *
 * AW1. The anchor counts as gone after {@link MISSES} pings in a row without an answer: within seven seconds of its end.
 * AW2. `lost` and `back` alternate, starting with `lost`.
 * AW3. Whatever the anchor says shows that it is there: it is pinged only when it was silent for {@link SILENT_LOOKS} looks, or when
 *      {@link PROVED_LOOKS} went by without an answer to a ping. So an idle mesh has no traffic for it but the probes of its membership.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";

/** Between two looks, and two pings of a silent anchor. */
export const LOOK_EVERY_MS = 1000;
/** Looks without a word of the anchor after which it is pinged. */
export const SILENT_LOOKS = 2;
/** Looks after which it is pinged although it was heard: calls may fail where probes pass. */
export const PROVED_LOOKS = 15;
/** How long an answer may take. */
export const PING_TIMEOUT_MS = 2500;
/** Pings without an answer that make the anchor count as gone. */
export const MISSES = 2;

/** What the watch needs. */
export interface AnchorWatchParts {
  readonly timers: Timers;
  readonly ping: (timeoutMs: number) => Promise<void>;
  /** When the anchor was last heard, on any clock; undefined before it was. */
  readonly heardMs: () => number | undefined;
  readonly lost: (why: string) => void;
  readonly back: () => void;
}

/** Looks after the anchor until it is stopped. */
export class AnchorWatch {
  readonly #parts: AnchorWatchParts;
  #timer: TimerHandle | undefined;
  #heardMs: number | undefined;
  #silent = SILENT_LOOKS - 1;
  #unproved = 0;
  #misses = 0;
  #stopped = false;

  constructor(parts: AnchorWatchParts) {
    this.#parts = parts;
    this.#again();
  }

  /** Stop looking. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #again(): void {
    if (this.#stopped) return;
    const { timers } = this.#parts;
    this.#timer = timers.schedule(LOOK_EVERY_MS, () => this.#look(), { toleranceMs: LOOK_EVERY_MS / 2 });
  }

  #look(): void {
    this.#again();
    const heardMs = this.#parts.heardMs();
    this.#silent = heardMs === this.#heardMs ? this.#silent + 1 : 0;
    this.#heardMs = heardMs;
    this.#unproved++;
    if (this.#silent >= SILENT_LOOKS || this.#unproved >= PROVED_LOOKS || this.#misses > 0) void this.#ping();
  }

  async #ping(): Promise<void> {
    try {
      await this.#parts.ping(PING_TIMEOUT_MS);
      if (this.#misses >= MISSES && !this.#stopped) this.#parts.back();
      this.#misses = 0;
      this.#unproved = 0;
    } catch (error) {
      this.#misses++;
      if (this.#misses === MISSES && !this.#stopped)
        this.#parts.lost(`${MISSES} pings unanswered (${errorCodeOf(error)})`);
    }
  }
}
