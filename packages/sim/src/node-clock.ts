/**
 * The clock of one simulated machine: it reads true time through a drift, and its wall time can be set.
 *
 * NC1. The monotonic reading never goes back, whatever the drift is changed to; it runs at 1 + drift times the true rate.
 * NC2. Wall time is the monotonic reading plus an offset; a step moves the offset and nothing else.
 */
import type { Clock } from "@glia-os/abi/ports";
import { finite, LIMIT_MAX } from "./limits.ts";
import type { VirtualTime } from "./virtual-time.ts";

const MILLION = 1_000_000;
/** Drift of a machine's clock, in parts per million: up to 10 %, far more than the 200 ppm of a poor crystal. */
const DRIFT_MAX = 100_000;
const ULP = Number.EPSILON;

/** How a clock starts. */
export interface NodeClockOptions {
  /** Wall time at the start, in milliseconds since the Unix epoch: 0 (default) to 9e12. */
  readonly wallStartMs?: number;
  /** How much faster than true time it runs, in parts per million: -100,000 to 100,000; default 0. */
  readonly driftPpm?: number;
}

/** A machine's clock. */
export class NodeClock implements Clock {
  readonly #time: VirtualTime;
  #rate: number;
  #trueBase = 0;
  #base = 0;
  #wallOffsetMs: number;

  /** @throws {BadOptionError} */
  constructor(time: VirtualTime, options: NodeClockOptions = {}) {
    this.#time = time;
    this.#rate = rateOf(options.driftPpm ?? 0);
    this.#trueBase = time.nowMs;
    this.#wallOffsetMs = finite("wallStartMs", options.wallStartMs ?? 0, 0, LIMIT_MAX);
  }

  monotonicMs(): number {
    return this.#readingAt(this.#time.nowMs);
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.monotonicMs();
  }

  /** Set the wall clock forward, or back with a negative number (NC2). @throws {BadOptionError} */
  stepWall(byMs: number): void {
    this.#wallOffsetMs += finite("a step of wall time", byMs, -LIMIT_MAX, LIMIT_MAX);
  }

  /** Run at another rate from now on (NC1). @throws {BadOptionError} */
  setDrift(ppm: number): void {
    const rate = rateOf(ppm);
    this.#base = this.monotonicMs();
    this.#trueBase = this.#time.nowMs;
    this.#rate = rate;
  }

  /** The first true time, not before now, at which this clock reads `monotonicMs` or more, if the drift stays as it is. */
  trueMsOf(monotonicMs: number): number {
    let ms = this.#trueBase + (monotonicMs - this.#base) / this.#rate;
    // Rounding may end a few units short.
    while (this.#readingAt(ms) < monotonicMs) ms += Math.max(ms, 1) * ULP;
    return Math.max(ms, this.#time.nowMs);
  }

  #readingAt(trueMs: number): number {
    return this.#base + (trueMs - this.#trueBase) * this.#rate;
  }
}

function rateOf(ppm: number): number {
  return 1 + finite("driftPpm", ppm, -DRIFT_MAX, DRIFT_MAX) / MILLION;
}
