/**
 * A limit with hysteresis, in value and in time.
 *
 * TH1. It is raised when the value was past the limit without a break for `forMs`, and cleared when the value comes back past `clearAt`.
 *      Between the two nothing changes, so a value that wavers around the limit raises it once.
 * TH2. A reading that is missing changes nothing and breaks the time of being past the limit: a sensor that says nothing proves nothing.
 */
import { BadOptionError, BadReadingError } from "../errors.ts";
import { finite } from "../limits.ts";

/** The form of a limit. */
export interface ThresholdOptions {
  /** For messages. */
  readonly what: string;
  /** Whether too much (`above`) or too little (`below`) raises it. */
  readonly when: "above" | "below";
  /** Past this it is raised: at or above it, or below it. */
  readonly at: number;
  /** Past this it is cleared again: below it, or at or above it. Not on the wrong side of `at`. */
  readonly clearAt: number;
  /** How long the value has to stay past the limit, in milliseconds; default 0. */
  readonly forMs?: number;
  /** The values a reading can have. */
  readonly least: number;
  readonly most: number;
}

/** A limit and whether it is raised. */
export class Threshold {
  readonly #o: ThresholdOptions;
  readonly #forMs: number;
  #raised = false;
  #since: number | undefined;

  /** @throws {BadOptionError} */
  constructor(options: ThresholdOptions) {
    this.#o = options;
    this.#forMs = finite("forMs", options.forMs ?? 0, 0, Number.MAX_SAFE_INTEGER);
    finite(`at (${options.what})`, options.at, options.least, options.most);
    finite(`clearAt (${options.what})`, options.clearAt, options.least, options.most);
    const wrong = options.when === "above" ? options.clearAt > options.at : options.clearAt < options.at;
    if (wrong)
      throw new BadOptionError(
        `clearAt (${options.what})`,
        options.clearAt,
        `on the quiet side of ${options.at}`,
      );
  }

  /** Whether it is raised. */
  get raised(): boolean {
    return this.#raised;
  }

  /** A reading at a monotonic time in milliseconds; whether the limit is raised now. @throws {BadReadingError} */
  observe(value: number | undefined, nowMs: number): boolean {
    const { what, least, most, when, at, clearAt } = this.#o;
    if (value === undefined) {
      this.#since = undefined;
      return this.#raised;
    }
    if (!(value >= least && value <= most))
      throw new BadReadingError(what, value, `from ${least} to ${most}`);
    const past = when === "above" ? value >= at : value < at;
    if (past) this.#since ??= nowMs;
    else this.#since = undefined;
    const back = when === "above" ? value < clearAt : value >= clearAt;
    if (this.#raised && back) this.#raised = false;
    else if (past && nowMs - (this.#since as number) >= this.#forMs) this.#raised = true;
    return this.#raised;
  }

  /** Clear it for another reason than its value. */
  clear(): void {
    this.#raised = false;
    this.#since = undefined;
  }
}
