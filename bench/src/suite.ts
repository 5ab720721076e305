/** What a file under `suites/` exports as `suite`. */

/** Which direction is good. */
export type Better = "lower" | "higher";

/** Units of time per operation, in nanoseconds. */
export const TIME_UNITS = { ns: 1, us: 1e3, ms: 1e6 } as const;

/** Something that is measured, ready to run. Exactly one of `run` and `value` is there. */
export interface Contestant {
  /** Do the operation `times` times; the harness takes the time and divides. */
  readonly run?: (times: number) => void | Promise<void>;
  /** One sample measured by the contestant itself, in the row's unit. */
  readonly value?: () => number | Promise<number>;
  /** Release what the contestant holds. */
  readonly close?: () => void | Promise<void>;
}

/** Makes a contestant; `undefined` when this machine does not have what it needs. */
export type ContestantFactory = () => Contestant | undefined | Promise<Contestant | undefined>;

/** What a row must reach. All given conditions must hold. */
export interface Target {
  /** Ours is at most this, in the row's unit. */
  readonly max?: number;
  /** Ours is at least this, in the row's unit. */
  readonly min?: number;
  /** Ours is at least this many times better than the peer. */
  readonly ratio?: Readonly<Record<string, number>>;
}

/** One line of a result. */
export interface RowDefinition {
  /** Stable: kebab-case, never reused for something else. */
  readonly id: string;
  /** What one operation is, so that a reader could repeat it. */
  readonly what: string;
  /** `ns`, `us` or `ms` per operation for `run`; anything for `value`. */
  readonly unit: string;
  readonly better: Better;
  /** What the number does not include. */
  readonly excludes: string;
  readonly target?: Target;
  readonly glia: () => Contestant | Promise<Contestant>;
  readonly peers: Readonly<Record<string, ContestantFactory>>;
}

/** A named set of rows measured in one run. */
export interface Suite {
  readonly title: string;
  /** The suite measures a disk that flushes: a run whose fdatasync takes less than this at the median, in microseconds, makes no result. */
  readonly leastFdatasyncUs?: number;
  readonly rows: readonly RowDefinition[];
}
