/**
 * Phases of a move and its report (docs/spec/migration.md).
 *
 *     planning [-> pre-copy] -> frozen -> staged -> commit -> live [-> pages] -> complete
 *         \          \            \         \         \
 *          +----------+------------+---------+---------+--> failed (rolled back; the agent goes on at the source)
 */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";

/**
 * `planning`: both ends agree, nothing stopped. `pre-copy`: state crosses in rounds while the agent runs. `frozen`: the agent is stopped, its state crosses. `staged`: the destination builds it.
 * `commit`: the compare-and-swap of the epoch. `live`: the destination runs it. `pages`: the rest of its memory crosses while it runs there.
 */
export type MigrationPhaseName = "planning" | "pre-copy" | "frozen" | "staged" | "commit" | "live" | "pages";

/**
 * How a move went: everything while the agent stood still; in rounds while it ran and the rest while it stood still; memory while it ran at the
 * destination; or in rounds, and the rest of memory while it ran at the destination.
 */
export type MigrationStrategy = "stop-and-copy" | "pre-copy" | "post-copy" | "hybrid";

/**
 * How a move is to go. `auto` (default): `pre-copy` from 4 MiB of memory on; it never makes an agent need two machines. `pre-copy` is a wish, and so are
 * `post-copy` and `hybrid` for an agent that stands still: the report says what was done. One that cannot move by post-copy is refused.
 */
export interface MigrateOptions {
  readonly strategy?: "auto" | MigrationStrategy;
}

/** One finished phase. Times are the source's monotonic clock, counted from the start of the move. */
export interface MigrationPhase {
  readonly phase: MigrationPhaseName;
  readonly startedMs: number;
  readonly endedMs: number;
  /** Bytes of snapshot that crossed in this phase. */
  readonly bytes: number;
}

/** A move that was committed and completed. */
export interface MigrationReport {
  readonly agent: AgentId;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly strategy: MigrationStrategy;
  /** The epoch the destination runs it under. */
  readonly epoch: Epoch;
  /** Bytes of snapshot. */
  readonly bytes: number;
  readonly phases: readonly MigrationPhase[];
  /** From the moment freezing was asked until the destination's word that the agent is live, on the source's clock: an upper bound. */
  readonly downtimeMs: number;
  /** From the last byte of state to live, on the destination's clock. */
  readonly destinationMs: number;
}
