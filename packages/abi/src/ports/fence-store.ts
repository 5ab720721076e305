/**
 * The engine behind leases that fence: a table of epochs with a compare-and-swap (docs/spec/fences.md).
 *
 * FS1. `swap` writes a row only if the stored epoch of its resource is `expected` (0 for none), and says whether it did, in one step.
 * FS2. What was written is read by every later `read`, after a crash too where the store promises that. An epoch never falls.
 */

/** The truth about one lease. */
export interface FenceRow {
  /** Grows by one with every grant, from 1. */
  readonly epoch: number;
  /** Who holds it, or held it last. */
  readonly holder: string;
  /** Until when, in milliseconds since the Unix epoch by the clock of whoever grants leases. 0: given back. */
  readonly expiresMs: number;
}

/** A table of epochs. It answers at once: grants are decided where it is. */
export interface FenceStore {
  /** The row of a resource; undefined if it was never leased. */
  read(resource: string): FenceRow | undefined;
  /** Write a row if the stored epoch is `expected` (FS1). The row's epoch is `expected` or one more. */
  swap(resource: string, expected: number, row: FenceRow): boolean;
}
