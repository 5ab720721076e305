/** A result file in memory (docs/spec/bench-result.md). */
import type { Better, Target } from "./suite.ts";

/** Where a run took place. */
export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** The one-minute load average when the run began. */
  readonly load: number;
  /** Per cent of processor time stolen during the run; `null` where the system does not tell. */
  readonly stealPct: number | null;
}

/** One measured row. */
export interface ResultRow {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly better: Better;
  /** Median of `samples`. */
  readonly glia: number;
  /** Ours, one per round. */
  readonly samples: readonly number[];
  /** Medians of the peers that were there. */
  readonly peers: Readonly<Record<string, number>>;
  /** Median over rounds of how many times better ours is. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly target: Target;
  /** Whether the target is reached; `null` when it cannot be judged. */
  readonly met: boolean | null;
  readonly excludes: string;
}

/** One run of one suite. */
export interface BenchResult {
  readonly name: string;
  /** When the run began, ISO 8601 in UTC. */
  readonly date: string;
  /** The commit that was measured, with `+dirty` when tracked files differed from it. */
  readonly commit: string;
  readonly machine: MachineFacts;
  readonly calibration: Readonly<Record<string, number>>;
  /** Peers that this machine does not have. */
  readonly missing: readonly string[];
  readonly rows: readonly ResultRow[];
  /** Present on short runs, which are printed and never kept. */
  readonly quick?: true;
}
