/**
 * The engine behind a lease that fences: a table of epochs with a compare-and-swap, as a port.
 *
 * FS1. `swap` writes a row only if the stored epoch of its resource is `expected` (0 for none), and says whether it did, in one step.
 * FS2. What was written is read by every later `read`, after a crash too. An epoch never falls.
 */

/** The truth about one lease. */
export interface FenceRow {
  /** Grows by one with every grant, from 1. */
  readonly epoch: number;
  /** Who holds it, or held it last. */
  readonly holder: string;
  /** Until when, in milliseconds since the Unix epoch by the clock of the keeper. 0: given back. */
  readonly expiresMs: number;
}

/** A table of epochs. It answers at once, as SQLite in the same thread does. */
export interface FenceStore {
  /** The row of a resource; undefined if it was never leased. */
  read(resource: string): FenceRow | undefined;
  /** Write a row if the stored epoch is `expected` (FS1). */
  swap(resource: string, expected: number, row: FenceRow): boolean;
}

/**
 * A table in memory. Its epochs hold as long as the object: who keeps it elsewhere than in the keeper may restart the keeper, and who
 * loses it may not call a lease fenced any more. For simulations and for leases within one process.
 */
export function createMemoryFenceStore(): FenceStore {
  const rows = new Map<string, FenceRow>();
  return {
    read: (resource) => rows.get(resource),
    swap: (resource, expected, row) => {
      if ((rows.get(resource)?.epoch ?? 0) !== expected) return false;
      rows.set(resource, row);
      return true;
    },
  };
}
