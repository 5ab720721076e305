/**
 * A task without a generator: one handler, called per message.
 *
 * RE1. Handlers run one at a time, in the order of the messages, in the task's own turns: a turn ends when its syscalls are used up.
 * RE2. A handler cannot wait. One that makes a call that waits fails the task with `ReactorBlockedError`, and nothing was waited for.
 * RE3. The program keeps nothing between tasks: `init` makes the state of each task, so spawning the program again starts afresh, on the
 *      same mailbox when that is given again.
 * RE4. `close` runs once for each state that `init` made, however the task ends.
 */
import { Door } from "../door.ts";
import { BadOptionError, NotAProgramError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { OPCODE_NAMES } from "../opcodes.ts";
import type { Operation, Park, Routine } from "../operation.ts";
import { checkOptions } from "../options.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Program, Sys } from "../sys.ts";
import type { Task } from "../task.ts";
import { ReactorBlockedError } from "./errors.ts";

type Result = IteratorResult<Park, unknown>;

/** What a reactor is made of. */
export interface Reactor<State, Message> {
  /** Make the state, at the task's first turn. It gets the handles given at the spawn: the first is the mailbox. Must not wait. */
  init(sys: Sys, ...given: Handle[]): State;
  /** Handle a message or call: change the state in place, or return another. Return `stop(value)` to end the task. Must not wait. */
  handle(sys: Sys, state: State, message: Message): State | Stop | undefined;
  /** Give up what the state holds (RE4). Must not wait. */
  close?(sys: Sys, state: State): void;
}

/** Ends a reactor. */
export class Stop {
  /** What the task ends with. */
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** What a handler returns to end its task with a value. */
export function stop(value?: unknown): Stop {
  return new Stop(value);
}

const NO_HANDLERS: readonly unknown[] = [
  Object.getPrototypeOf(function* () {}),
  Object.getPrototypeOf(async () => {}),
  Object.getPrototypeOf(async function* () {}),
];

/** What the scheduler steps in place of a generator. */
class ReactorRoutine {
  readonly #scheduler: Scheduler;
  readonly #sys: Sys;
  readonly #reactor: Reactor<unknown, unknown>;
  readonly #given: readonly Handle[];
  readonly #inbox: Handle;
  #state: unknown = undefined;
  #open = false;
  #receiving: Iterator<Park, unknown, unknown> | null = null;
  #task: Task | null = null;

  constructor(
    scheduler: Scheduler,
    sys: Sys,
    reactor: Reactor<unknown, unknown>,
    inbox: Handle,
    given: readonly Handle[],
  ) {
    this.#scheduler = scheduler;
    this.#sys = sys;
    this.#reactor = reactor;
    this.#inbox = inbox;
    this.#given = given;
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Handle messages until there is none, or the turn is over. */
  next(): Result {
    try {
      let received = this.#receiving === null ? this.#begin() : this.#receiving.next();
      while (received.done === true) {
        const answer = this.#reactor.handle(this.#sys, this.#state, received.value);
        this.#refuseToWait();
        if (answer instanceof Stop) {
          this.#close();
          return { done: true, value: answer.value };
        }
        if (answer !== undefined) this.#state = answer;
        received = this.#receive();
      }
      return received;
    } catch (error) {
      this.#scheduler.armed = 0;
      this.#close();
      throw error;
    }
  }

  /** The task is ended. */
  return(): Result {
    this.#close();
    return { done: true, value: undefined };
  }

  /** Only asked of a routine that yielded no syscall, which this never does. */
  throw(error: unknown): Result {
    throw error;
  }

  #begin(): Result {
    this.#task = this.#scheduler.current;
    this.#state = this.#reactor.init(this.#sys, ...this.#given);
    this.#open = true;
    this.#refuseToWait();
    return this.#receive();
  }

  #receive(): Result {
    const operation = this.#sys.receive(this.#inbox) as Operation<unknown>;
    this.#receiving = operation[Symbol.iterator]();
    return this.#receiving.next();
  }

  #refuseToWait(): void {
    const s = this.#scheduler;
    // An operation was made; or one was stepped by hand, and the task stands parked.
    if (s.armed === 0 && s.current !== null) return;
    const task = this.#task!;
    const syscall = OPCODE_NAMES[s.armed === 0 ? task.op : s.armed] ?? "a syscall";
    s.current = task;
    throw new ReactorBlockedError(task.id, syscall);
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    const state = this.#state;
    this.#state = undefined;
    this.#reactor.close?.(this.#sys, state);
    this.#scheduler.armed = 0;
  }
}

/**
 * A program from a handler per message, without a generator. Give it its mailbox (or channel or endpoint), with the
 * right `receive`, as the first handle of the spawn. @throws {BadOptionError} for handlers that are generator or async functions.
 */
export function reactor<State, Message = unknown>(parts: Reactor<State, Message>): Program<unknown> {
  checkOptions("the parts of a reactor", parts);
  for (const name of ["init", "handle", "close"] as const) {
    const part: unknown = parts[name];
    if (part === undefined && name === "close") continue;
    if (typeof part !== "function") throw new NotAProgramError(part);
    if (NO_HANDLERS.includes(Object.getPrototypeOf(part)))
      throw new BadOptionError(`${name} of a reactor`, "a generator or async function", "a plain function");
  }
  return (sys, ...given) => {
    const scheduler = Door.open(sys);
    if (scheduler === undefined) throw new BadOptionError("sys", typeof sys, "the one that a kernel made");
    const inbox = given[0];
    if (inbox === undefined)
      throw new BadOptionError("give of a reactor", "empty", "its mailbox, and what else it gets");
    const routine = new ReactorRoutine(scheduler, sys, parts as Reactor<unknown, unknown>, inbox, given);
    return routine as unknown as Routine<unknown>;
  };
}
