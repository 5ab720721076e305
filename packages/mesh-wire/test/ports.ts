/** Ports for tests: real time, time that a test moves by hand, and real randomness. */
import { randomFillSync } from "node:crypto";
import type { Clock, Random, Timers } from "@glia-os/abi/ports";

export const realClock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

export const realTimers: Timers = {
  schedule(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

export const realRandom: Random = {
  uint32: () => randomFillSync(new Uint32Array(1))[0]!,
  bytes: (target) => randomFillSync(target),
  fork: () => realRandom,
};

/** A clock and timers that move only by `advance`. Sockets stay real. */
export class ManualTime implements Clock, Timers {
  #nowMs = 0;
  readonly #epochMs: number;
  readonly #timers = new Set<{ readonly atMs: number; readonly fire: () => void }>();

  constructor(epochMs: number = Date.now()) {
    this.#epochMs = epochMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#epochMs + this.#nowMs;
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  schedule(delayMs: number, fire: () => void): { cancel(): void } {
    const timer = { atMs: this.#nowMs + delayMs, fire };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Move on, firing what is due in order. */
  advance(ms: number): void {
    const until = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.atMs <= until).sort((x, y) => x.atMs - y.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.fire();
    }
    this.#nowMs = until;
  }
}

/** Turn the event loop until `done`; the test's own time limit bounds it. */
export async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

/** Let the event loop turn so often that sockets on loopback have moved whatever they are going to move. */
export async function settle(turns = 200): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
