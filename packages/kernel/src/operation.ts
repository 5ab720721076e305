/** What programs are made of: operations that a task performs with `yield*`, and the generators that do so. */

/** What a parked task yields. Only the kernel makes one. */
export interface Park {
  readonly parked: "by the kernel";
}

/** The one result every parked task yields; its identity is the proof that a yield was a syscall. */
export const PARK: IteratorYieldResult<Park> = { done: false, value: { parked: "by the kernel" } };

/**
 * A blocking syscall that was asked for and not yet performed. `yield*` performs it, once, at once: an operation that is kept
 * and another one made before it is refused, because the kernel has one set of argument registers and no allocation per call.
 */
export interface Operation<Result> {
  [Symbol.iterator](): Iterator<Park, Result, unknown>;
}

/** A running program, or a part of one: what `function* (sys) { ... }` returns. */
export type Routine<Result> = Generator<Park, Result, unknown>;
