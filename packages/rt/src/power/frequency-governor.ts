/**
 * Which operating point to run at.
 *
 * The points and limits are the seed documents': a model of a microcontroller, not a measurement of one.
 *
 * FG1. From 80 % load on one point up, at 20 % and less one point down, per reading; between the two nothing changes.
 * FG2. `performance` stays at the top, `power-save` never goes above the second point, and `budget` never above the fastest point whose power
 *      fits into the budget.
 */
import { BadOptionError, BadReadingError } from "../errors.ts";
import { finite, whole } from "../limits.ts";

/** One operating point. */
export interface OperatingPoint {
  readonly name: "minimum" | "low" | "balanced" | "high" | "maximum";
  readonly megahertz: number;
  readonly millivolts: number;
  readonly milliwatts: number;
}

/** The points, slowest first. */
export const OPERATING_POINTS: readonly OperatingPoint[] = [
  { name: "minimum", megahertz: 48, millivolts: 900, milliwatts: 10 },
  { name: "low", megahertz: 96, millivolts: 1000, milliwatts: 30 },
  { name: "balanced", megahertz: 168, millivolts: 1100, milliwatts: 80 },
  { name: "high", megahertz: 240, millivolts: 1200, milliwatts: 150 },
  { name: "maximum", megahertz: 480, millivolts: 1350, milliwatts: 350 },
];

/** What to spend energy for. */
export type EnergyPolicy =
  | { readonly kind: "performance" | "balanced" | "power-save" }
  | { readonly kind: "budget"; readonly milliwatts: number };

const UP = 0.8;
const DOWN = 0.2;

/** Follows the load. */
export class FrequencyGovernor {
  readonly #top: number;
  readonly #bottom: number;
  #at: number;

  /** @throws {BadOptionError} for a budget below the slowest point */
  constructor(policy: EnergyPolicy = { kind: "balanced" }) {
    const last = OPERATING_POINTS.length - 1;
    this.#top =
      policy.kind === "budget" ? withinBudget(policy.milliwatts) : policy.kind === "power-save" ? 1 : last;
    this.#bottom = policy.kind === "performance" ? last : 0;
    this.#at = Math.max(this.#bottom, Math.min(2, this.#top));
  }

  /** The present point. */
  get point(): OperatingPoint {
    return OPERATING_POINTS[this.#at] as OperatingPoint;
  }

  /** A reading of the load, 0 to 1, at the present point. @throws {BadReadingError} */
  observe(load: number): OperatingPoint {
    if (!(load >= 0 && load <= 1))
      throw new BadReadingError("the load of the processor", load, "from 0 to 1");
    if (load >= UP) this.#at = Math.min(this.#top, this.#at + 1);
    else if (load <= DOWN) this.#at = Math.max(this.#bottom, this.#at - 1);
    return this.point;
  }

  /** Of at most `most` jobs at once, how many at this point: its share of the fastest one's speed, at least 1. @throws {BadOptionError} */
  concurrency(most: number): number {
    whole("most", most, 1, 1_000_000);
    const { megahertz } = OPERATING_POINTS[OPERATING_POINTS.length - 1] as OperatingPoint;
    return Math.max(1, Math.round((most * this.point.megahertz) / megahertz));
  }
}

/** The number of the fastest point that takes no more. */
function withinBudget(milliwatts: number): number {
  finite("milliwatts", milliwatts, 0, 1e9);
  const affordable = OPERATING_POINTS.filter((point) => point.milliwatts <= milliwatts).length;
  if (affordable === 0)
    throw new BadOptionError(
      "milliwatts",
      milliwatts,
      `at least ${OPERATING_POINTS[0]?.milliwatts}, the slowest point`,
    );
  return affordable - 1;
}
