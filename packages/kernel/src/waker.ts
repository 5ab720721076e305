/**
 * What the objects that tasks wait for may ask of the scheduler. They know no more of it than this.
 *
 * WK1. Whoever is told to go on stands in no queue afterwards and has no timer (`waking.ts` S2).
 */
import type { Logger } from "@glia-os/abi/ports";
import type { Task, TaskList } from "./task.ts";

/** Lets tasks go on. */
export interface Waker {
  readonly setup: { readonly logger: Logger | null };
  /** A parked task that stands in no list any more goes on with a value. */
  resume(task: Task, value: unknown): void;
  /** A parked task that stands in no list any more goes on with an error at its syscall. */
  resumeFailing(task: Task, error: unknown): void;
  /** Resume the first that waits in a queue: parked tasks first, then selects. Returns whether there was one. */
  wakeOne(queue: TaskList, value: unknown): boolean;
  /** Resume a task in `select` with the wait that came first, by its index. */
  resumeSelect(task: Task, index: number, value: unknown): void;
  /** Take a task out of whatever it waits in. It stays in its state. */
  detach(task: Task): void;
  /** End a task at its next turn. */
  kill(task: Task, reason: unknown): void;
}
