/**
 * What a routine waits for, and who lets it wait.
 *
 * WT1. An operation is made, then performed by `yield*`, once, before another is made. So what a plain handler makes and cannot perform
 *      is found out, and nothing was sent for it.
 * WT2. `done` is set by whoever has what is waited for; the interpreter then steps the routine.
 */
import { WaitsInPlainHandlerError } from "./errors.ts";
import type { AgentOperation, AgentStep } from "./routine.ts";

/** The interpreter, as far as operations know it. */
export interface Waiter {
  /** The operation that was made and not yet performed (WT1). */
  armed: Waiting | null;
  /** What the routine waits for. */
  waitsFor: Waiting | null;
  /** The message that is handled, for people. */
  readonly handling: string;
  /** Stop here until `waiting.done`. Returns what the routine yields. */
  park(waiting: Waiting): IteratorYieldResult<AgentStep>;
}

/** An operation: once made it is armed, once performed it may wait. */
export abstract class Waiting implements AgentOperation<unknown>, Iterator<AgentStep, unknown, unknown> {
  /** What is waited for is there, or will not come. */
  done = false;
  /** When waiting ends in any case: monotonic milliseconds. */
  declare deadlineMs: number;
  // On the prototype, not in a field: most asks never get one of their own, and such a number costs an allocation.
  static {
    Waiting.prototype.deadlineMs = Number.POSITIVE_INFINITY;
  }

  /** The name of the operation, for people. */
  abstract get operation(): string;

  [Symbol.iterator](): this {
    return this;
  }

  abstract next(): IteratorResult<AgentStep, unknown>;

  /** The deadline has come. */
  expire(): void {
    this.done = true;
  }

  /** The routine is closed while it waits here. */
  return(value?: unknown): IteratorResult<AgentStep, unknown> {
    return { done: true, value };
  }

  /** Say that this was made (WT1). @throws {WaitsInPlainHandlerError} when another one was and is not performed */
  protected arm(waiter: Waiter): void {
    if (waiter.armed !== null) throw unperformed(waiter);
    waiter.armed = this;
  }
}

/** The refusal of a handler that made an operation and did not perform it. */
export function unperformed(waiter: Waiter): WaitsInPlainHandlerError {
  const operation = waiter.armed?.operation ?? "an operation";
  waiter.armed = null;
  return new WaitsInPlainHandlerError(operation, waiter.handling);
}

/** Waiting for a time. */
export class Sleep extends Waiting {
  get operation(): string {
    return "sleep";
  }
  readonly #waiter: Waiter;

  constructor(waiter: Waiter, deadlineMs: number) {
    super();
    this.#waiter = waiter;
    this.deadlineMs = deadlineMs;
    this.arm(waiter);
  }

  next(): IteratorResult<AgentStep, unknown> {
    this.#waiter.armed = null;
    return this.done ? { done: true, value: undefined } : this.#waiter.park(this);
  }
}

/** Waiting for what the host answers. */
export class HostRequest extends Waiting {
  readonly #operation: string;
  readonly #waiter: Waiter;
  readonly #start: (request: HostRequest) => void;
  /** Hears of an answer that is no refusal, also when nobody waits for it any more. */
  taken: ((value: unknown) => void) | null = null;
  #failed = false;
  #value: unknown = undefined;
  #started = false;

  /** `start` asks the host, which may answer at once. */
  constructor(waiter: Waiter, operation: string, start: (request: HostRequest) => void) {
    super();
    this.#operation = operation;
    this.#waiter = waiter;
    this.#start = start;
    this.arm(waiter);
  }

  get operation(): string {
    return this.#operation;
  }

  /** The host's answer. */
  answer(ok: boolean, value: unknown): void {
    if (ok) this.taken?.(value);
    this.#failed = !ok;
    this.#value = value;
    this.done = true;
  }

  next(): IteratorResult<AgentStep, unknown> {
    this.#waiter.armed = null;
    if (!this.#started) {
      this.#started = true;
      this.#start(this);
    }
    if (!this.done) return this.#waiter.park(this);
    if (this.#failed) throw this.#value;
    return { done: true, value: this.#value };
  }
}
