/**
 * How the faces reach the scheduler behind a `sys`, also when the shell has wrapped that in a proxy. The object that a program could find
 * there shows nothing: only this module opens it.
 */
import type { Scheduler } from "./scheduler.ts";
import type { Sys } from "./sys.ts";

/** Leads to one scheduler. */
export class Door {
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The scheduler behind a kernel's syscalls; undefined for an object that no kernel made. */
  static open(sys: Sys): Scheduler | undefined {
    const { door } = sys as { readonly door?: unknown };
    return door instanceof Door ? door.#scheduler : undefined;
  }
}
