/**
 * An effect outside the kernel that a task waits for: started by a function, settled from outside at any later time.
 *
 * X1. It is settled once; a second time, or after its task was cancelled or killed, changes nothing and returns false.
 * X2. When its task stops waiting, the function the start returned is called once, so that the effect can be given up.
 */
import type { Logger } from "@glia-os/abi/ports";
import type { Rights } from "@glia-os/abi/syscalls";
import type { KernelObject } from "./capability-table.ts";
import type { Settle } from "./effect.ts";
import { shown } from "./shown.ts";
import type { Task } from "./task.ts";

/** Whoever lets tasks go on. */
interface Resumer {
  readonly setup: { readonly logger: Logger | null };
  resume(task: Task, value: unknown): void;
  resumeFailing(task: Task, error: unknown): void;
}

/** An effect in flight. Internal. */
export class External implements Settle<unknown> {
  /** Set when the outcome came before the task parked. */
  outcome: { readonly failed: boolean; readonly value: unknown } | null = null;
  giveUp: (() => void) | null = null;
  #open = true;
  #parked = false;
  /** The service it goes to and the rights that needs; null for an effect of trusted code. */
  readonly service: KernelObject | null;
  readonly needed: Rights;
  readonly #scheduler: Resumer;
  readonly #task: Task;

  constructor(scheduler: Resumer, task: Task, service: KernelObject | null = null, needed: Rights = 0) {
    this.service = service;
    this.needed = needed;
    this.#scheduler = scheduler;
    this.#task = task;
  }

  ok(value: unknown): boolean {
    return this.#settle(false, value);
  }

  fail(error: unknown): boolean {
    return this.#settle(true, error);
  }

  /** The task waits from now on. */
  parked(): void {
    this.#parked = true;
  }

  /** The task no longer waits (X2). */
  abandon(): void {
    this.#open = false;
    const giveUp = this.giveUp;
    this.giveUp = null;
    try {
      giveUp?.();
    } catch (error) {
      const fields = { task: this.#task.id, error: shown(error) };
      this.#scheduler.setup.logger?.log("warn", "giving up an outside effect failed", fields);
    }
  }

  #settle(failed: boolean, value: unknown): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.giveUp = null;
    if (!this.#parked) this.outcome = { failed, value };
    else if (failed) this.#scheduler.resumeFailing(this.#task, value);
    else this.#scheduler.resume(this.#task, value);
    return true;
  }
}
