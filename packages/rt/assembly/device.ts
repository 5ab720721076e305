/** What an image imports: three functions of module `glia.rt`. All numbers are i32. docs/spec/embedded-image.md. */

/**
 * Wait in a power mode (0 normal to 5 shutdown) for at most so many ticks. Returns the ticks that were left when something ended the wait
 * early, 0 when all passed.
 */
@external("glia.rt", "wait")
export declare function wait(mode: i32, ticks: i32): i32;

/** Give something to the outside: which task, what kind, a value. */
@external("glia.rt", "emit")
export declare function emit(task: i32, kind: i32, value: i32): void;

/** Read a sensor. */
@external("glia.rt", "sense")
export declare function sense(channel: i32): i32;

/** Kinds of `emit` that the runtime itself uses, when it is traced. Cells use 16 and above. */
export namespace Kind {
  export const SPAWNED: i32 = 1;
  export const MESSAGE: i32 = 2;
  export const TIMER: i32 = 3;
  export const INTERRUPT: i32 = 4;
  export const ENDED: i32 = 5;
  export const WAITS: i32 = 6;
  export const REFUSED: i32 = 7;
}

/** Why a call of a cell was refused: negative results. */
export namespace Refusal {
  /** No block, no place in the mailbox, or no place for a task. */
  export const FULL: i32 = -1;
  /** No such task, block or priority. */
  export const NONE: i32 = -2;
  /** The block was freed before. */
  export const FREED: i32 = -3;
  /** Something wrote past the end of the block. */
  export const OVERRUN: i32 = -4;
  /** A number out of range. */
  export const RANGE: i32 = -5;
}
