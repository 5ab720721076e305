/**
 * An async function as the body of a task.
 *
 * F1. The function has *control* from the moment its task is given the processor until it parks in a syscall, ends, or the kernel regains
 *     control. The slice ends meanwhile (`runSlice` answers "microtasks") and no other task runs, so the order of everything is that of
 *     the scheduler, whatever the sizes of slices.
 * F2. When the next slice begins all microtasks have run. A function that then has neither parked nor ended awaits something foreign:
 *     its task fails with `ForeignAwaitError`, and every syscall that the function makes later is refused with the same error.
 * F3. A syscall is performed when it is called. Its promise settles inside a slice, or at once when it need not wait.
 * F4. A kill rejects the promise the function awaits; its `finally` blocks run in microtasks, before any ordinary task, and cannot wait.
 *     A function that goes on waiting is dropped after {@link UNWIND_ATTEMPTS} refusals.
 * F5. Outside of its control a function has no authority: every syscall is refused.
 */
import { UNWIND_ATTEMPTS } from "../constants.ts";
import * as errors from "../errors.ts";
import { EXIT, OPCODE_NAMES, YIELD } from "../opcodes.ts";
import type { Operation, Park } from "../operation.ts";
import { PARK } from "../operation.ts";
import type { OutsideTurn, Scheduler } from "../scheduler.ts";
import type { Sys } from "../sys.ts";
import { KILLED, LEAVING, RESUMING, RUNNING, SLEEPING, type Task, THROWING, WAITING } from "../task.ts";
import { ForeignAwaitError, NotAwaitedError } from "./errors.ts";

type Result = IteratorResult<Park, unknown>;
type Inner = Iterator<Park, unknown, unknown>;
type Outcome = { readonly failed: boolean; readonly value: unknown };

/** Starts the function. */
export type Body = (routine: AsyncRoutine) => Promise<unknown>;

/** What the scheduler steps in place of a generator. */
export class AsyncRoutine implements OutsideTurn {
  /** The kernel's own syscalls. */
  readonly sys: Sys;
  readonly #scheduler: Scheduler;
  readonly #body: Body;
  #task: Task | null = null;
  #control = false;
  #outcome: Outcome | null = null;
  /** What the task waits in, and the promise of it. */
  #inner: Inner | null = null;
  #pending: PromiseWithResolvers<unknown> | null = null;
  /** Set when the function was given up: why. */
  #gone: ForeignAwaitError | null = null;
  #refusals = 0;
  #microtasksRan = false;
  #fuel = 0;
  #sinceMs = 0;

  constructor(scheduler: Scheduler, sys: Sys, body: Body) {
    this.#scheduler = scheduler;
    this.sys = sys;
    this.#body = body;
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** The task's turn. */
  next(): Result {
    if (this.#outcome !== null) return this.#conclude(this.#outcome);
    const s = this.#scheduler;
    const started = this.#task !== null;
    const task = (this.#task = s.current!);
    this.#control = true;
    if (started) this.#advance(task);
    else {
      const ended = new Promise((resolve) => resolve(this.#body(this)));
      ended.then(
        (value) => this.#settled(false, value),
        (error: unknown) => this.#settled(true, error),
      );
    }
    return this.#control ? this.#handOver(task) : PARK;
  }

  /** The task is ended (F4). */
  return(): Result {
    const task = this.#scheduler.current!;
    const outcome = this.#outcome;
    if (outcome !== null) {
      if (outcome.failed && !(outcome.value instanceof errors.TaskKilledError)) throw outcome.value;
      return { done: true, value: undefined };
    }
    const pending = this.#pending;
    if (pending === null) return { done: true, value: undefined };
    this.#control = true;
    this.#unwindInner();
    this.#pending = null;
    pending.reject(new errors.TaskKilledError(task.id));
    return this.#handOver(task);
  }

  get holder(): Task | null {
    return this.#control ? this.#task : null;
  }

  /** Only asked of a routine that yielded no syscall, which this never does. */
  throw(error: unknown): Result {
    throw error;
  }

  left(): void {
    const s = this.#scheduler;
    this.#task!.state = RUNNING;
    this.#fuel = s.fuel;
    if (this.#task!.extra?.allowance?.timed === true) this.#sinceMs = s.setup.clock.monotonicMs();
  }

  regained(): boolean {
    if (!this.#microtasksRan) return false;
    const task = this.#task!;
    this.#gone = new ForeignAwaitError(task.id, task.path());
    const killed = (task.flags & KILLED) !== 0;
    if (killed)
      this.#scheduler.setup.logger?.log("error", "a killed task did not stop waiting and was dropped", {
        task: task.id,
      });
    this.#endTurn();
    this.#outcome = killed ? { failed: false, value: undefined } : { failed: true, value: this.#gone };
    this.#scheduler.preempt(task, YIELD, undefined);
    return true;
  }

  /** Read a property of the kernel's syscalls. */
  property(name: string): unknown {
    const s = this.#scheduler;
    const before = s.current;
    s.current = this.#check(name);
    try {
      return Reflect.get(this.sys, name);
    } finally {
      s.current = before;
    }
  }

  /** Make a syscall (F3). */
  syscall(name: string, args: readonly unknown[]): unknown {
    const s = this.#scheduler;
    const task = this.#check(name);
    const before = s.current;
    s.current = task;
    try {
      const result: unknown = Reflect.apply(Reflect.get(this.sys, name), this.sys, args);
      if (s.armed === 0) return result;
      return this.#perform(task, (result as Operation<unknown>)[Symbol.iterator]());
    } finally {
      s.current = this.#control ? before : null;
    }
  }

  /** Run a generator as a part of this task. */
  part(make: (sys: Sys) => Inner): Promise<unknown> {
    const s = this.#scheduler;
    const task = this.#check("run");
    const before = s.current;
    s.current = task;
    try {
      return this.#perform(task, make(this.sys));
    } finally {
      s.current = this.#control ? before : null;
    }
  }

  /** Refuse what is not in control (F5). */
  #check(name: string): Task {
    if (this.#control) return this.#task!;
    if (this.#gone !== null) throw this.#gone;
    if (this.#pending !== null) throw new NotAwaitedError(OPCODE_NAMES[this.#task!.op] ?? "a syscall");
    throw new errors.OutsideTaskError(name);
  }

  #perform(task: Task, inner: Inner): Promise<unknown> {
    const pending = Promise.withResolvers<unknown>();
    // A promise that nobody awaits must not end the process when it is rejected.
    pending.promise.catch(() => undefined);
    if ((task.flags & KILLED) !== 0 && ++this.#refusals > UNWIND_ATTEMPTS) {
      this.#scheduler.armed = 0;
      return pending.promise;
    }
    this.#pending = pending;
    this.#inner = inner;
    this.#advance(task);
    return pending.promise;
  }

  /** Step what the task waits in: it parks, or its promise settles. */
  #advance(task: Task): void {
    const s = this.#scheduler;
    const pending = this.#pending!;
    let failed = false;
    let value: unknown;
    try {
      const result = this.#inner!.next();
      if (result.done !== true) {
        if ((result as Result) === PARK && task.state !== RUNNING) {
          this.#endTurn();
          return;
        }
        throw this.#refuse(task, result as Result);
      }
      value = result.value;
    } catch (error) {
      failed = true;
      value = error;
    }
    this.#stayRunning(task);
    if (s.armed !== 0 && !failed) {
      failed = true;
      value = new errors.OperationNotUsedError(OPCODE_NAMES[s.armed] ?? "a syscall");
    }
    s.armed = 0;
    this.#inner = null;
    this.#pending = null;
    if (failed) pending.reject(value);
    else pending.resolve(value);
  }

  /** What is thrown when a part yields without parking: it called `exit`, or yielded no syscall. */
  #refuse(task: Task, result: Result): errors.TaskKilledError | errors.BadYieldError {
    this.#scheduler.current = task;
    if (result !== PARK || task.op !== EXIT) {
      this.#unwindInner();
      return new errors.BadYieldError(task.id);
    }
    task.more().reason = task.value;
    task.value = undefined;
    task.flags |= KILLED | LEAVING;
    this.#unwindInner();
    return new errors.TaskKilledError(task.id);
  }

  /** Run the `finally` blocks of the part that the task waits in. */
  #unwindInner(): void {
    const inner = this.#inner;
    this.#inner = null;
    for (let attempt = 0; attempt < UNWIND_ATTEMPTS; attempt++) {
      if (inner?.return === undefined || inner.return(undefined).done === true) return;
    }
  }

  /** A part that stepped an operation by hand parked the task behind its back; it did not wait after all. */
  #stayRunning(task: Task): void {
    const s = this.#scheduler;
    if (s.current === null && task.state !== RUNNING) {
      s.detach(task);
      task.state = RUNNING;
      task.flags &= ~(RESUMING | THROWING);
    }
    s.current = task;
  }

  /** Give control to the function: end the slice here (F1). */
  #handOver(task: Task): Result {
    const s = this.#scheduler;
    this.#microtasksRan = false;
    Promise.resolve().then(() => {
      this.#microtasksRan = true;
    });
    s.current = null;
    s.outside = this;
    s.ready.hold();
    task.state = WAITING;
    return PARK;
  }

  /** The function has parked, ended or was given up. What it used outside of slices is charged. */
  #endTurn(): void {
    const s = this.#scheduler;
    this.#control = false;
    if (s.outside !== this) return;
    s.outside = null;
    const extra = this.#task!.extra;
    const used = this.#fuel - s.fuel;
    if (extra?.relations?.counted) extra.relations.counted.syscalls += used;
    const allowance = extra?.allowance;
    if (allowance) allowance.charge(used, allowance.timed ? s.setup.clock.monotonicMs() - this.#sinceMs : 0);
  }

  /** The function ended. */
  #settled(failed: boolean, value: unknown): void {
    if (this.#outcome !== null) return;
    const s = this.#scheduler;
    const task = this.#task!;
    if (this.#control) {
      this.#outcome = { failed, value };
      this.#endTurn();
      s.preempt(task, YIELD, undefined);
      return;
    }
    const syscall = OPCODE_NAMES[task.op] ?? "a syscall";
    this.#outcome = { failed: true, value: failed ? value : new NotAwaitedError(syscall) };
    if (task.state !== SLEEPING && task.state !== WAITING) return;
    s.detach(task);
    s.resume(task, undefined);
  }

  /** The last turn of the task. */
  #conclude({ failed, value }: Outcome): Result {
    this.#unwindInner();
    if (failed) throw value;
    return { done: true, value };
  }
}
