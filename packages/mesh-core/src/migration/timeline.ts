/** The phases of one move as they end, on one monotonic clock. */
import type { Clock } from "@glia-os/abi/ports";
import type { MigrationPhase, MigrationPhaseName } from "./phase.ts";

/** Collects phases. */
export class Timeline {
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #onPhase: (phase: MigrationPhase) => void;
  readonly #phases: MigrationPhase[] = [];
  #current: { readonly phase: MigrationPhaseName; readonly startedMs: number; bytes: number } | undefined;

  constructor(clock: Clock, onPhase: (phase: MigrationPhase) => void) {
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
    this.#onPhase = onPhase;
  }

  /** Milliseconds since the start of the move. */
  elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startMs;
  }

  /** End the current phase, if any, and begin the next one. */
  enter(phase: MigrationPhaseName): void {
    this.finish();
    this.#current = { phase, startedMs: this.elapsedMs(), bytes: 0 };
  }

  /** Count bytes in the current phase. */
  addBytes(bytes: number): void {
    if (this.#current !== undefined) this.#current.bytes += bytes;
  }

  /** End the current phase; every phase so far. */
  finish(): readonly MigrationPhase[] {
    if (this.#current !== undefined) {
      const phase = { ...this.#current, endedMs: this.elapsedMs() };
      this.#current = undefined;
      this.#phases.push(phase);
      this.#onPhase(phase);
    }
    return this.#phases;
  }
}
