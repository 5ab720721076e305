/**
 * How loaded a node is, and when that is too much (docs/spec/balance.md).
 *
 * LO1. A node is overloaded at any one of: {@link CPU_MAX} of its processor, {@link DEPTH_PER_SLOT_MAX} waiting jobs per slot, less than
 *      {@link MEMORY_FREE_MIN} of its memory free. What a node cannot measure does not count.
 */

/** Busy share of the processor from which a node gives work away. */
export const CPU_MAX = 0.85;
/** Waiting jobs per slot from which a node gives work away. */
export const DEPTH_PER_SLOT_MAX = 8;
/** Free share of memory below which a node gives work away. */
export const MEMORY_FREE_MIN = 0.1;

/** What a node says about itself. */
export interface Load {
  readonly waiting: number;
  readonly running: number;
  readonly slots: number;
  /** Busy share of the processor, 0 to 1; undefined when it cannot be measured. */
  readonly cpu: number | undefined;
  /** Free share of memory, 0 to 1; undefined when it cannot be measured. */
  readonly memoryFree: number | undefined;
  /** What jobs may ask for by name, such as `gpu`. */
  readonly features: readonly string[];
}

/** Whether a node should give work away (LO1). */
export function isOverloaded({ waiting, slots, cpu, memoryFree }: Load): boolean {
  if (cpu !== undefined && cpu >= CPU_MAX) return true;
  if (memoryFree !== undefined && memoryFree < MEMORY_FREE_MIN) return true;
  return waiting >= DEPTH_PER_SLOT_MAX * slots;
}

/** Whether a node has a free slot and nothing that waits. */
export function isIdle(load: Load): boolean {
  return load.waiting === 0 && load.running < load.slots && !isOverloaded(load);
}

/** Jobs per slot: what load routing compares. */
export function pressure({ waiting, running, slots }: Load): number {
  return (waiting + running) / Math.max(1, slots);
}
