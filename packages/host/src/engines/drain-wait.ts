/** How long an engine that is closed still waits for the jobs it has. */
import type { JobEngineClose } from "@glia-os/abi/ports";
import { BadOptionError } from "../errors.ts";

/** Longest delay of a timer. */
const LONGEST_MS = 2 ** 31 - 1;

/** @throws {BadOptionError} */
export function drainMsOf(options: JobEngineClose | undefined): number {
  const drainMs = options?.drainMs ?? 0;
  if (Number.isFinite(drainMs) && drainMs >= 0 && drainMs <= LONGEST_MS) return drainMs;
  throw new BadOptionError("drainMs", drainMs, `0 to ${LONGEST_MS}`);
}

/** A wait with an end that may be moved forward, never back. */
export class DrainWait {
  readonly #over = Promise.withResolvers<void>();
  #until = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** Resolves when the wait is over. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** End in so many milliseconds at the latest. The timer keeps the process alive: somebody waits for the end. */
  within(drainMs: number): void {
    const until = performance.now() + drainMs;
    if (until >= this.#until) return;
    this.#until = until;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(), drainMs);
  }

  /** End now: nothing is left to wait for. */
  end(): void {
    clearTimeout(this.#timer);
    this.#over.resolve();
  }
}
