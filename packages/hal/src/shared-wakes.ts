/**
 * Wake-ups that timers share.
 *
 * SW1. A timer with a tolerance fires at the point of a grid nearest to its moment: off by no more than the tolerance, nor by more than half
 *      its delay. A timer that is set again when it fires keeps its period, because what firing took is rounded away.
 * SW2. Timers of one point fire from one timeout of the host, in the order they were set; one that throws takes no other with it. A point that
 *      nobody waits for any more has no timeout.
 * SW3. Each point of a coarser grid is one of every finer grid too. Where the grid begins is drawn once, so that the processes of one machine do
 *      not all wake at the same moments.
 */

/** Distances of the points in milliseconds: each divides the one before. A tolerance of less than half the last shares nothing. */
const GRIDS_MS = [1000, 500, 250, 125] as const;

/** The distance of points for a timer, or 0 when it has to be exact. */
export function gridFor(delayMs: number, toleranceMs: number): number {
  return GRIDS_MS.find((gridMs) => gridMs <= 2 * toleranceMs && gridMs <= delayMs) ?? 0;
}

/** The two functions of the host that wake-ups stand on, and its clock. */
export interface WakeHost {
  readonly nowMs: () => number;
  readonly set: (fire: () => void, delayMs: number) => unknown;
  readonly clear: (timeout: unknown) => void;
}

interface Point {
  readonly atMs: number;
  readonly waiting: Set<() => void>;
  timeout: unknown;
}

/** The points at which something fires. */
export class SharedWakes {
  readonly #host: WakeHost;
  readonly #phaseMs: number;
  readonly #points = new Map<number, Point>();

  /** `phaseMs`: where the grid begins (SW3). */
  constructor(host: WakeHost, phaseMs: number) {
    this.#host = host;
    this.#phaseMs = phaseMs;
  }

  /** Fire about `delayMs` from now, on a grid of `gridMs` (SW1); what comes back takes it back. */
  add(delayMs: number, gridMs: number, fire: () => void): () => void {
    const steps = Math.round((this.#host.nowMs() + delayMs - this.#phaseMs) / gridMs);
    const atMs = this.#phaseMs + steps * gridMs;
    const point = this.#points.get(atMs) ?? this.#open(atMs);
    const entry = (): void => fire();
    point.waiting.add(entry);
    return () => {
      if (point.waiting.delete(entry) && point.waiting.size === 0) this.#drop(point);
    };
  }

  #open(atMs: number): Point {
    const point: Point = { atMs, waiting: new Set(), timeout: undefined };
    this.#points.set(atMs, point);
    this.#arm(point);
    return point;
  }

  /** A millisecond later, because a host may be up to one early and would have to be asked again. */
  #arm(point: Point): void {
    const leftMs = Math.max(0, Math.ceil(point.atMs - this.#host.nowMs())) + 1;
    point.timeout = this.#host.set(() => this.#fire(point), Math.min(leftMs, 0x7fff_ffff));
  }

  #fire(point: Point): void {
    if (this.#host.nowMs() < point.atMs) {
      this.#arm(point);
      return;
    }
    this.#points.delete(point.atMs);
    this.#run(point);
  }

  #run(point: Point): void {
    try {
      for (const entry of point.waiting) {
        point.waiting.delete(entry);
        entry();
      }
    } finally {
      // One threw: the others fire in the next turn, as if each had a timeout of its own.
      if (point.waiting.size > 0) point.timeout = this.#host.set(() => this.#run(point), 0);
    }
  }

  #drop(point: Point): void {
    if (this.#points.get(point.atMs) !== point) return;
    this.#points.delete(point.atMs);
    this.#host.clear(point.timeout);
  }
}
