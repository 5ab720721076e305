/** What programs are made of: operations that a task performs with `yield*`, and the generators that do so. */
import type { Handle } from "./capability-table.ts";
import type { Sys } from "./sys.ts";

/** What a parked task yields. Only the kernel makes one. */
export interface Park {
  readonly parked: "by the kernel";
}

/**
 * A blocking syscall that was asked for and not yet performed. `yield*` performs it, once, at once: an operation that is kept
 * and another one made before it is refused, because the kernel has one set of argument registers and no allocation per call.
 */
export interface Operation<Result> {
  [Symbol.iterator](): Iterator<Park, Result, unknown>;
}

/** A running program, or a part of one: what `function* (sys) { ... }` returns. */
export type Routine<Result> = Generator<Park, Result, unknown>;

/**
 * What a task runs: a generator function. It gets the syscalls and the handles given to it at its spawn, in order. Data may come
 * by closure; authority may not, because a handle is only valid in the task it was given to.
 */
export type Program<Result = unknown> = {
  // A method's parameters are compared both ways, so a program may name the message types of the handles it expects.
  run(sys: Sys, ...given: Handle[]): Routine<Result>;
}["run"];
