/**
 * The scheduler: the only place where tasks advance and park. What else happens to them lies in the classes it grows from: how they
 * become ready in `waking.ts` (S2), how they end in `ending.ts` (S3, S4).
 *
 * S1. `current` is the task whose code runs, and null from the moment it parks. So nothing is done in the name of a parked task.
 * S5. No clock is read and nothing is allocated per switch. Only a task with a budget in milliseconds has its turns timed.
 */
import type { PendingReply } from "./call.ts";
import type { KernelObject } from "./capability-table.ts";
import { Ending } from "./ending.ts";
import * as errors from "./errors.ts";
import type { Allowance } from "./fair-share/budget.ts";
import type { Handle } from "./handle.ts";
import { AlarmQueue } from "./lease/alarm.ts";
import type { Mailbox } from "./mailbox.ts";
import type { TaskSpans } from "./observe/task-spans.ts";
import type { TaskTimes } from "./observe/task-times.ts";
import { EXIT, OPCODE_NAMES, SELECT, SLEEP } from "./opcodes.ts";
import { PARK, type Park, type Routine } from "./operation.ts";
import { JOURNALED } from "./outcome-journal.ts";
import type { SchedulerSetup } from "./scheduler-setup.ts";
import type { Seam } from "./seam.ts";
import type { Program, Sys } from "./sys.ts";
import {
  BAD_YIELD as BAD_YIELD_,
  ENDED,
  FOREIGN as FOREIGN_,
  KILLED as KILLED_,
  METERED as METERED_,
  READY as READY_,
  RESUMING as RESUMING_,
  RUNNING as RUNNING_,
  STATE_NAMES,
  Task,
  type TaskId,
  THROTTLED,
  THROWING as THROWING_,
  WAITING as WAITING_,
} from "./task.ts";
import { PARKED } from "./trace-ring.ts";
import { YoungRegisters } from "./young-registers.ts";

// Constants of this module: the engine folds them, which it does not do with what a module imports or exports.
const BAD_YIELD = BAD_YIELD_;
const FOREIGN = FOREIGN_;
const KILLED = KILLED_;
const METERED = METERED_;
const READY = READY_;
const RESUMING = RESUMING_;
const RUNNING = RUNNING_;
const THROWING = THROWING_;
const WAITING = WAITING_;
const PARKED_RESULT = PARK;

const GENERATOR_FUNCTION: unknown = Object.getPrototypeOf(function* () {});
/** What every generator of the engine's own goes on by. Generators of different functions have different shapes; this has one. */
const NEXT: () => IteratorResult<unknown, unknown> = ENDED.next;
const UNUSUAL = KILLED | BAD_YIELD | METERED | FOREIGN;

/** Code of one task that has control outside of slices: it goes on in microtasks (`face/async-routine.ts`). */
export interface OutsideTurn {
  /** The task whose code has control now. */
  readonly holder: Task | null;
  /** The slice in which it got control has ended. */
  left(): void;
  /** The next slice wants to begin: take control back. False when no microtask has run since: nothing happened then. */
  regained(): boolean;
}

/** Tasks and who runs next. */
export class Scheduler extends Ending {
  /** Syscalls left in the current turn. */
  fuel = 0;
  /** Whose code goes on outside of slices; no slice runs meanwhile. */
  outside: OutsideTurn | null = null;
  /** Ending: no new tasks. */
  closing = false;
  /** The operation that was made and not yet performed: its opcode and argument registers. */
  armed = 0;
  a: unknown = undefined;
  c: unknown = undefined;
  /** What measures times, and what knows the spans of tasks, when the kernel has them. */
  times: TaskTimes | null = null;
  spans: TaskSpans | null = null;
  /** Monotonic time at the start of this slice. */
  nowMs = 0;
  /** Timers of leases, which no parked task waits for. */
  readonly alarms: AlarmQueue = new AlarmQueue();
  #young: YoungRegisters = new YoungRegisters();
  #turnSyscalls = 0;
  #sys: Sys | null = null;
  /** The generator function that was launched last. */
  #lastProgram: Program | null = null;

  constructor(setup: SchedulerSetup) {
    super(setup);
    this.#turnSyscalls = setup.turnSyscalls;
  }

  /** The second argument register: the message of an operation that sends one (G1). */
  get b(): unknown {
    return this.#young.argument;
  }

  set b(argument: unknown) {
    this.#young.argument = argument;
  }

  /** What every performed operation hands over; used again and again (G1). */
  get done(): { done: true; value: unknown } {
    return this.#young.done;
  }

  /** Tie the knot: these need the scheduler and it needs them. `orphaned` closes an object nobody can receive from. */
  attach(seam: Seam, sys: Sys, orphaned: (object: KernelObject) => void): void {
    this.seam = seam;
    this.#sys = sys;
    this.orphaned = orphaned;
  }

  /** Make a task; it is ready and has not run. @throws when it may not be made. */
  spawn(program: Program, level: number, parent: Task): Task {
    if (typeof program !== "function") throw new errors.NotAProgramError(program);
    if (this.closing) throw new errors.ShuttingDownError();
    if (this.live >= this.setup.taskLimit) throw new errors.TooManyTasksError(this.setup.taskLimit);
    const extra = parent.more();
    const path = (extra.path ??= parent === this.shell ? "" : parent.path());
    const task = new Task(ENDED, level, parent.id, path, extra.spawned);
    const id = this.tasks.insert(task);
    if (id === 0) throw new errors.TooManyTasksError(this.setup.taskLimit);
    extra.spawned++;
    task.id = id as TaskId;
    this.live++;
    this.seam.counters.spawned++;
    return task;
  }

  /** Give a new task its generator and make it ready. @throws {NotAProgramError} */
  launch(task: Task, program: Program, given: readonly Handle[]): void {
    const sys = this.#sys!;
    const routine: unknown =
      given.length === 0
        ? program(sys)
        : given.length === 1
          ? program(sys, given[0]!)
          : given.length === 2
            ? program(sys, given[0]!, given[1]!)
            : program(sys, ...given);
    // What a generator function returns is a generator; looking that up is slow, and mostly it is the same function again.
    if (program !== this.#lastProgram) {
      if (Object.getPrototypeOf(program) === GENERATOR_FUNCTION) this.#lastProgram = program;
      else if (isRoutine(routine)) task.flags |= FOREIGN;
      else throw new errors.NotAProgramError(program);
    }
    task.routine = routine as Routine<unknown>;
    this.queue(task);
  }

  /** Take back a new task that could not be launched. */
  unspawn(task: Task): void {
    this.capabilities.dropAll(task);
    this.tasks.remove(task.id);
    this.live--;
    this.seam.counters.spawned--;
  }

  /** Run ready tasks, each one turn, up to `most` turns. Returns how many ran. */
  run(most: number): number {
    this.#young = new YoungRegisters();
    const ready = this.ready;
    let ran = 0;
    while (ran < most) {
      const task = ready.shift();
      if (task === null) break;
      ran++;
      this.#step(task);
    }
    return ran;
  }

  #step(task: Task): void {
    // What stands in the ready list is ready: no look at the table of transitions.
    task.state = RUNNING;
    if (this.observer !== null) this.observer.transition(task.id, "ready", "running");
    this.current = task;
    this.fuel = this.#turnSyscalls;
    let result: IteratorResult<unknown, unknown>;
    try {
      result = (task.flags & UNUSUAL) === 0 ? NEXT.call(task.routine) : this.#force(task);
      // The usual case first: the task parked in a syscall.
      if (result === PARKED_RESULT && task.state !== RUNNING) return;
      if (result === PARKED_RESULT && task.op === EXIT) result = this.leave(task);
    } catch (error) {
      this.#stop(task);
      this.crashed(task, error);
      return;
    }
    if (result === PARKED_RESULT && task.state !== RUNNING) return;
    const unused = this.armed;
    this.#stop(task);
    if (result.done !== true) this.badYield(task);
    else if (unused !== 0)
      this.crashed(task, new errors.OperationNotUsedError(OPCODE_NAMES[unused] ?? "a syscall"));
    else this.returned(task, result.value);
  }

  /** The running task goes on as at the begin of a turn. */
  newTurn(): void {
    this.fuel = this.#turnSyscalls;
  }

  /** Refuse to make an operation: no task runs, or one that was made was not performed. */
  refuseToArm(op: number): never {
    if (this.current === null) throw new errors.OutsideTaskError(OPCODE_NAMES[op] ?? "a syscall");
    const earlier = this.armed;
    this.armed = 0;
    throw new errors.OperationNotUsedError(OPCODE_NAMES[earlier] ?? "a syscall");
  }

  /** An iterator is asked for more while its operation is not armed: its task goes on after a park, or uses it twice. */
  resumed(): IteratorResult<Park, unknown> {
    const task = this.current;
    if (task === null) throw new errors.OutsideTaskError("yield*");
    const flags = task.flags;
    if ((flags & RESUMING) === 0 || this.armed !== 0) {
      this.armed = 0;
      throw new errors.OperationReusedError();
    }
    const value = task.value;
    task.value = undefined;
    task.flags = flags & ~(RESUMING | THROWING);
    const failed = (flags & THROWING) !== 0;
    if (JOURNALED[task.op] === true) this.seam.journal.outcome(task.id, task.op, value, failed);
    if (failed) throw value;
    const done = this.done;
    done.value = value;
    return done;
  }

  /** Hold a sender back. */
  parkSender(
    task: Task,
    op: number,
    argument: number,
    mailbox: Mailbox,
    message: unknown,
  ): IteratorYieldResult<Park> {
    this.seam.counters.pauses++;
    task.arg = message;
    mailbox.senders.push(task);
    this.seam.trace.write(op, PARKED, task.id, argument);
    return this.park(task, op, WAITING);
  }

  /** The result is at hand, and the turn is over. */
  turnUsedUp(task: Task, op: number, value: unknown): IteratorYieldResult<Park> {
    this.seam.counters.turnsUsedUp++;
    return this.preempt(task, op, value);
  }

  /** Park the current task. Returns what its syscall yields. */
  park(task: Task, op: number, state: number): IteratorYieldResult<Park> {
    task.op = op;
    task.flags |= RESUMING;
    this.current = null;
    // Only the running task parks, and from running it may.
    task.state = state;
    if (this.observer !== null) this.observer.transition(task.id, "running", STATE_NAMES[state]!);
    return PARKED_RESULT;
  }

  /** End the turn of the current task with the result of its syscall at hand. */
  preempt(task: Task, op: number, value: unknown): IteratorYieldResult<Park> {
    task.value = value;
    this.park(task, op, READY);
    this.queue(task);
    return PARKED_RESULT;
  }

  /** Resume everybody whose deadline has come. */
  expire(nowMs: number): void {
    if (this.alarms.size > 0) this.alarms.ring(nowMs);
    this.nowMs = nowMs;
    for (let task = this.timers.expire(nowMs); task !== null; task = this.timers.expire(nowMs)) {
      if (task.state === THROTTLED) this.#unthrottle(task);
      else if (task.op === SLEEP) this.resume(task, undefined);
      else if (task.op === SELECT) this.resumeSelect(task, task.arg as number, undefined);
      else {
        const timeoutMs = (task.arg as PendingReply).timeoutMs;
        this.detach(task);
        this.resumeFailing(task, new errors.CallTimeoutError(timeoutMs));
      }
    }
  }

  #stop(task: Task): void {
    this.current = null;
    this.armed = 0;
    if (task.state !== RUNNING) {
      // A generator stepped by hand parked the task behind its own back; it did not wait after all.
      this.detach(task);
      if (task.state !== READY) this.transition(task, READY);
      this.transition(task, RUNNING);
      task.flags &= ~(RESUMING | THROWING);
    }
  }

  /** Advance a task in an unusual way: unwind it, measure it, or throw at a yield that was no syscall. */
  #force(task: Task): IteratorResult<unknown, unknown> {
    if ((task.flags & KILLED) !== 0) return this.unwind(task);
    if ((task.flags & METERED) !== 0) return this.#measured(task, task.more().allowance!);
    return (task.flags & BAD_YIELD) !== 0 ? this.#correct(task) : task.routine.next();
  }

  /** One turn of a task with a budget, or none when the budget is used up. */
  #measured(task: Task, allowance: Allowance): IteratorResult<unknown, unknown> {
    const { clock } = this.setup;
    const startMs = allowance.timed ? clock.monotonicMs() : this.nowMs;
    const until = allowance.admit(startMs);
    if (until > 0) return this.#throttle(task, until);
    const share = task.extra!.share;
    if (share !== null) {
      const due = share.group.due(share, READY).holder as Task;
      if (due !== task && due.level <= task.level) return this.#giveWay(task, due);
    }
    const fuel = allowance.fuel(this.fuel);
    this.fuel = fuel;
    try {
      return (task.flags & BAD_YIELD) === 0 ? task.routine.next() : this.#correct(task);
    } finally {
      const syscalls = fuel - this.fuel;
      const ms = allowance.timed ? clock.monotonicMs() - startMs : 0;
      allowance.charge(syscalls, ms);
      share?.group.charged(share, syscalls, ms);
    }
  }

  /** The turn is due to another member of the task's group, which runs in its place. */
  #giveWay(task: Task, due: Task): IteratorYieldResult<Park> {
    this.current = null;
    this.transition(task, READY);
    this.ready.swap(due, task);
    return PARKED_RESULT;
  }

  #throttle(task: Task, untilMs: number): IteratorYieldResult<Park> {
    this.current = null;
    this.seam.counters.throttled++;
    this.transition(task, THROTTLED);
    this.timers.set(task, untilMs);
    return PARKED_RESULT;
  }

  /** Unlike `resume` this leaves the result that the task has at hand. */
  #unthrottle(task: Task): void {
    this.transition(task, READY);
    this.queue(task);
  }

  #correct(task: Task): IteratorResult<unknown, unknown> {
    task.flags &= ~BAD_YIELD;
    const error = task.value;
    task.value = undefined;
    return task.routine.throw(error);
  }
}

function isRoutine(value: unknown): value is Routine<unknown> {
  const routine = value as Partial<Routine<unknown>> | null | undefined;
  return (
    typeof routine === "object" &&
    routine !== null &&
    typeof routine.next === "function" &&
    typeof routine[Symbol.iterator] === "function"
  );
}
