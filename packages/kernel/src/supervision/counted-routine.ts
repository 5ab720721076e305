/**
 * A generator that counts the syscalls its task makes, so that two failures can be compared by where they happened.
 *
 * CR1. The count is read off the scheduler's turn budget before and after each step, so tasks that are not counted pay nothing.
 * CR2. Results pass through untouched: the kernel recognises a park by identity.
 */
import type { Park, Routine } from "../operation.ts";
import type { Scheduler } from "../scheduler.ts";
import { FOREIGN, type Task } from "../task.ts";
import { of } from "./relations.ts";

type Result = IteratorResult<Park, unknown>;

/** Wraps the generator of one task. */
export class CountedRoutine {
  /** Syscalls made so far. */
  syscalls = 0;
  readonly #inner: Routine<unknown>;
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler, inner: Routine<unknown>) {
    this.#scheduler = scheduler;
    this.#inner = inner;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): Result {
    const before = this.#scheduler.fuel;
    try {
      return this.#inner.next();
    } finally {
      this.syscalls += before - this.#scheduler.fuel;
    }
  }

  return(value: unknown): Result {
    return this.#inner.return(value);
  }

  throw(error: unknown): Result {
    return this.#inner.throw(error);
  }
}

/** Count the syscalls of a task that has not run. */
export function countSyscalls(scheduler: Scheduler, task: Task): void {
  const counted = new CountedRoutine(scheduler, task.routine);
  of(task).counted = counted;
  task.flags |= FOREIGN;
  task.routine = counted as unknown as Routine<unknown>;
}
