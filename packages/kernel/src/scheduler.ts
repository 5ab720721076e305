/**
 * The scheduler: the only place where tasks advance, park, become ready and end.
 *
 * S1. `current` is the task whose code runs, and null from the moment it parks. So nothing is done in the name of a parked task.
 * S2. A task leaves a wait in one of four ways: resumed with a value, resumed with an error, killed, or its kernel is dropped. Each
 *     takes it out of every queue, timer and pending effect first (`detach`), so nothing is delivered to it afterwards.
 * S3. Killing is done by the scheduler at the victim's next turn, before every ordinary task: the killer's stack never runs it.
 * S4. What a task throws ends that task and touches no other.
 * S5. No clock is read and nothing is allocated per switch. Only a task with a budget in milliseconds has its turns timed.
 */
import type { Clock, Logger, Random } from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import type { PendingReply } from "./call.ts";
import { CapabilityTable, type KernelObject } from "./capability-table.ts";
import { type Choose, ChosenOrder } from "./chosen-order.ts";
import { UNWIND_ATTEMPTS } from "./constants.ts";
import * as errors from "./errors.ts";
import { External } from "./external.ts";
import type { Allowance } from "./fair-share/budget.ts";
import type { Handle } from "./handle.ts";
import { AlarmQueue } from "./lease/alarm.ts";
import type { Mailbox } from "./mailbox.ts";
import type { LifeObserver, TransitionObserver } from "./observe/task-observer.ts";
import type { TaskSpans } from "./observe/task-spans.ts";
import type { TaskTimes } from "./observe/task-times.ts";
import { CALL, EXIT, OPCODE_NAMES, OPCODES, RECORDED, SELECT, SLEEP, WAIT_ANY, WAIT_ON } from "./opcodes.ts";
import type { Park, Routine } from "./operation.ts";
import { LEVELS, ReadyQueue } from "./ready-queue.ts";
import type { KernelResource } from "./resources/resource.ts";
import { lostAccess } from "./resources/use.ts";
import type { Seam } from "./seam.ts";
import { awaited } from "./select.ts";
import { shown } from "./shown.ts";
import { RelationTable } from "./supervision/relations.ts";
import type { Program, Sys } from "./sys.ts";
import {
  BAD_YIELD as BAD_YIELD_,
  CANCEL_ASKED,
  CANCEL_PENDING,
  CANCELLED,
  type Exit,
  FAILED,
  FINISHED,
  FOREIGN as FOREIGN_,
  KILLED as KILLED_,
  LEAVING,
  METERED as METERED_,
  READY as READY_,
  RESUMING as RESUMING_,
  RUNNING as RUNNING_,
  SLEEPING,
  STATE_NAMES,
  Task,
  type TaskId,
  type TaskList,
  THROTTLED,
  THROWING as THROWING_,
  TRANSITIONS,
  WAITING as WAITING_,
} from "./task.ts";
import { TaskTable } from "./task-table.ts";
import type { TimerQueue } from "./timer-wheel/timer-queue.ts";
import { PARKED } from "./trace-ring.ts";
import { WaitMap } from "./wait-map.ts";

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

/** The one result every parked task yields; its identity is the proof that a yield was a syscall. */
export const PARK: IteratorYieldResult<Park> = { done: false, value: { parked: "by the kernel" } };
const PARKED_RESULT = PARK;

/** Whether outcomes of a syscall are journaled, by number: those whose effect class is not `local`. */
export const JOURNALED: readonly boolean[] = Array.from({ length: OPCODES }, (_, number) =>
  RECORDED.includes(number),
);

/** What an ended task keeps instead of its generator, so that the generator's memory is free. */
const ENDED: Routine<unknown> = (function* (): Routine<unknown> {
  return undefined;
})();

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

/** A task that failed while nobody waited for its end. */
export interface UnobservedFailure {
  readonly task: TaskId;
  readonly path: string;
  readonly name: string;
  readonly error: unknown;
}

/** What the scheduler is made with. */
export interface SchedulerSetup {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger | null;
  readonly choose: Choose | null;
  readonly timers: TimerQueue<Task>;
  readonly taskLimit: number;
  readonly endedLimit: number;
  readonly handleLimit: number;
  readonly turnSyscalls: number;
  readonly agingSwitches: number;
}

/** Tasks and who runs next. */
export class Scheduler {
  current: Task | null = null;
  /** Syscalls left in the current turn. */
  fuel = 0;
  /** Whether ready work should be announced to the shell. */
  announce: (() => void) | null = null;
  /** Hears of failures that nobody waits for. */
  onFailure: ((failure: UnobservedFailure) => void) | null = null;
  /** Whose code goes on outside of slices; no slice runs meanwhile. */
  outside: OutsideTurn | null = null;
  /** Ending: no new tasks. */
  closing = false;
  live = 0;
  /** The operation that was made and not yet performed: its opcode and argument registers. */
  armed = 0;
  a: unknown = undefined;
  b: unknown = undefined;
  c: unknown = undefined;
  /** What every performed operation hands over; used again and again. */
  readonly done: { done: true; value: unknown } = { done: true, value: undefined };
  declare readonly setup: SchedulerSetup;
  #turnSyscalls = 0;
  /** Who hears of state changes, and of the begin and the end of tasks (`observe/task-observer.ts`). */
  observer: TransitionObserver | null = null;
  lives: LifeObserver | null = null;
  /** What measures times, and what knows the spans of tasks, when the kernel has them. */
  times: TaskTimes | null = null;
  spans: TaskSpans | null = null;
  declare readonly ready: ReadyQueue;
  declare readonly timers: TimerQueue<Task>;
  /** Monotonic time at the start of this slice. */
  nowMs = 0;
  /** Timers of leases, which no parked task waits for. */
  readonly alarms: AlarmQueue = new AlarmQueue();
  readonly waits: WaitMap = new WaitMap();
  declare readonly tasks: TaskTable;
  declare readonly capabilities: CapabilityTable;
  declare readonly relations: RelationTable;
  /** Owner of the shell's handles; never runs. */
  readonly shell: Task = new Task(ENDED, LEVELS.system, 0, "", 0);
  /** Set once, by `attach`. */
  declare seam: Seam;
  #sys: Sys | null = null;
  #orphaned: ((object: KernelObject) => void) | null = null;
  /** The generator function that was launched last. */
  #lastProgram: Program | null = null;

  constructor(setup: SchedulerSetup) {
    this.setup = setup;
    this.#turnSyscalls = setup.turnSyscalls;
    const { agingSwitches, choose } = setup;
    this.ready = choose === null ? new ReadyQueue(agingSwitches) : new ChosenOrder(agingSwitches, choose);
    this.timers = setup.timers;
    this.tasks = new TaskTable(setup.taskLimit, setup.endedLimit);
    this.capabilities = new CapabilityTable(setup.handleLimit, {
      lost: (owner, object) => this.#lost(owner, object),
      orphaned: (object) => this.#orphaned?.(object),
      taskAt: (index) => (index < 0 ? this.shell : this.tasks.at(index)),
    });
    this.relations = new RelationTable(this);
  }

  /** Tie the knot: these need the scheduler and it needs them. `orphaned` closes an object nobody can receive from. */
  attach(seam: Seam, sys: Sys, orphaned: (object: KernelObject) => void): void {
    this.seam = seam;
    this.#sys = sys;
    this.#orphaned = orphaned;
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
    this.#queue(task);
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
      if (result === PARKED_RESULT && task.op === EXIT) result = this.#leave(task);
    } catch (error) {
      this.#stop(task);
      this.#crashed(task, error);
      return;
    }
    if (result === PARKED_RESULT && task.state !== RUNNING) return;
    const unused = this.armed;
    this.#stop(task);
    if (result.done !== true) this.#badYield(task);
    else if (unused !== 0)
      this.#crashed(task, new errors.OperationNotUsedError(OPCODE_NAMES[unused] ?? "a syscall"));
    else this.#returned(task, result.value);
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

  /** A task that is being ended may not wait; one whose cancellation has not shown sees it now. */
  interrupt(task: Task): never {
    if ((task.flags & KILLED) !== 0) throw new errors.TaskKilledError(task.id);
    task.flags &= ~CANCEL_PENDING;
    throw this.cancellation(task);
  }

  /** The task an operation waits for. @throws {UnknownTaskError} {WaitOnSelfError} */
  awaited(task: Task, id: TaskId): Task {
    return awaited(this, task, id);
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
    this.#queue(task);
    return PARKED_RESULT;
  }

  /** A parked task that stands in no list any more goes on with a value. */
  resume(task: Task, value: unknown): void {
    if (task.timerAt >= 0) this.timers.cancel(task);
    task.value = value;
    task.arg = undefined;
    const state = task.state;
    if (state === WAITING && this.observer === null) task.state = READY;
    else this.transition(task, READY);
    this.#queue(task);
  }

  /** A parked task goes on with an error at its syscall. */
  resumeFailing(task: Task, error: unknown): void {
    task.flags |= THROWING;
    this.resume(task, error);
  }

  /** Resume the first that waits in a queue: parked tasks first, then selects. Returns whether there was one. */
  wakeOne(queue: TaskList, value: unknown): boolean {
    const task = queue.shift();
    if (task !== null) {
      this.resume(task, value);
      return true;
    }
    const node = queue.firstNode;
    if (node === null) return false;
    this.resumeSelect(node.task, node.index, value);
    return true;
  }

  /** Resume a task in `select` or `waitAny` with the wait that came first. */
  resumeSelect(task: Task, index: number, value: unknown): void {
    const first = task.op === WAIT_ANY ? (task.arg as readonly TaskId[])[index] : index;
    this.#leaveQueues(task);
    this.resume(task, [first, value]);
  }

  /** Take a task out of whatever it waits in (S2). It stays in its state. */
  detach(task: Task): void {
    if (task.timerAt >= 0) this.timers.cancel(task);
    if (task.state === READY) this.ready.remove(task);
    else if (task.list !== null) {
      task.list.remove(task);
      if (task.op === WAIT_ON) this.waits.prune(task.arg);
    }
    if (task.op === SELECT || task.op === WAIT_ANY) this.#leaveQueues(task);
    else if (task.op === CALL && task.arg !== undefined) (task.arg as PendingReply).caller = null;
    else if (task.arg instanceof External) task.arg.abandon();
    task.arg = undefined;
  }

  /** End a task: its generators are unwound at its next turn, which comes before every ordinary task's (S3). */
  kill(task: Task, reason: unknown): void {
    if (task.state > WAITING || (task.flags & KILLED) !== 0) return;
    task.more().reason = reason;
    task.flags |= KILLED;
    if (task.state === RUNNING) return;
    this.detach(task);
    task.flags &= ~(RESUMING | THROWING);
    task.level = LEVELS.system;
    if (task.state !== READY) this.transition(task, READY);
    this.#queue(task);
  }

  /** Ask a task to end. Shows once, at the syscall it waits in or at its next blocking one. */
  cancel(task: Task, reason: unknown): void {
    if (task.state > WAITING || (task.flags & (KILLED | CANCEL_ASKED)) !== 0) return;
    task.more().reason = reason;
    task.flags |= CANCEL_ASKED;
    if (task.state === SLEEPING || task.state === WAITING) {
      this.detach(task);
      this.resumeFailing(task, this.cancellation(task));
    } else if (task.state !== RUNNING && (task.flags & (RESUMING | BAD_YIELD)) === 0) {
      this.detach(task);
      this.end(task, CANCELLED, { kind: "cancelled", reason });
    } else task.flags |= CANCEL_PENDING;
  }

  /** The error a cancelled task sees. */
  cancellation(task: Task): errors.TaskCancelledError {
    const extra = task.more();
    const error = new errors.TaskCancelledError(task.id, extra.reason);
    extra.cancelError = error;
    return error;
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

  /** Change a task's state along the table. */
  transition(task: Task, to: number): void {
    const from = task.state;
    if (((TRANSITIONS[from]! >> to) & 1) === 0)
      throw new errors.BadTransitionError(task.id, STATE_NAMES[from] ?? "?", STATE_NAMES[to] ?? "?");
    task.state = to;
    if (this.observer !== null) this.observer.transition(task.id, STATE_NAMES[from]!, STATE_NAMES[to]!);
  }

  /** Finish a task: tell who waits, drop its capabilities, keep its exit for late waiters. */
  end(task: Task, state: number, exit: Exit): void {
    this.transition(task, state);
    task.routine = ENDED;
    task.arg = undefined;
    task.value = exit;
    this.live--;
    const { counters } = this.seam;
    if (exit.kind === "ok") counters.finished++;
    else if (exit.kind === "failed") counters.failed++;
    else if (exit.kind === "killed") counters.killed++;
    else counters.cancelled++;
    if (this.lives !== null) this.lives.ended(task.id, exit);
    const { extra, waiters } = task;
    let observed = false;
    // Before its id becomes free: that is what tells whose handles they are.
    if (task.firstHandle >= 0) this.capabilities.dropAll(task);
    this.tasks.end(task, exit);
    if (waiters !== null) {
      while (this.wakeOne(waiters, exit)) observed = true;
      task.waiters = null;
    }
    if (extra !== null && extra.exitListeners !== null)
      observed = this.#tell(task, extra.exitListeners, exit);
    if (extra !== null && extra.relations !== null && this.relations.ended(task, exit)) observed = true;
    if (exit.kind === "failed" && !observed)
      this.onFailure?.({ task: task.id, path: task.path(), name: extra?.name ?? "", error: exit.error });
  }

  #tell(task: Task, listeners: readonly ((exit: Exit) => void)[], exit: Exit): boolean {
    for (const listener of listeners) {
      try {
        listener(exit);
      } catch (error) {
        const fields = { task: task.id, error: shown(error) };
        this.setup.logger?.log("error", "a listener for the end of a task failed", fields);
      }
    }
    return listeners.length > 0;
  }

  /** A parked receiver whose right was revoked must not be handed anything. */
  #lost(owner: Task, object: KernelObject): void {
    if (object.abandoned !== undefined && !this.capabilities.holds(owner, object, RIGHTS.receive))
      object.abandoned(owner);
    if (owner.state !== WAITING) return;
    if (object.kind === "resource") {
      if (lostAccess(this, owner, object as KernelResource)) this.#deprive(owner);
      return;
    }
    if (owner.arg instanceof External) {
      const { service, needed } = owner.arg;
      if (service === object && !this.capabilities.holds(owner, object, needed)) this.#deprive(owner);
      return;
    }
    const { senders } = object as { readonly senders?: TaskList };
    const needed = waitsIn(owner, object.takers)
      ? RIGHTS.receive
      : waitsIn(owner, senders)
        ? owner.op === CALL
          ? RIGHTS.call
          : RIGHTS.send
        : 0;
    if (needed !== 0 && !this.capabilities.holds(owner, object, needed)) this.#deprive(owner);
  }

  #deprive(owner: Task): void {
    this.detach(owner);
    this.resumeFailing(owner, new errors.DeadHandleError("the handle it waits on", owner.id));
  }

  #queue(task: Task): void {
    this.ready.push(task);
    const announce = this.announce;
    if (announce !== null) {
      this.announce = null;
      announce();
    }
  }

  #leaveQueues(task: Task): void {
    const nodes = task.extra?.nodes;
    if (nodes === null || nodes === undefined) return;
    for (const node of nodes) node.queue.leave(node);
    task.extra!.nodes = null;
    this.waits.pruneAll(nodes);
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
    if ((task.flags & KILLED) !== 0) return this.#unwind(task);
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
    this.#queue(task);
  }

  #correct(task: Task): IteratorResult<unknown, unknown> {
    task.flags &= ~BAD_YIELD;
    const error = task.value;
    task.value = undefined;
    return task.routine.throw(error);
  }

  /** Run `finally` blocks from the inside out. One that yields is asked again, up to a bound; then the generator is dropped. */
  #unwind(task: Task): IteratorResult<unknown, unknown> {
    for (let attempt = 0; attempt < UNWIND_ATTEMPTS; attempt++) {
      this.current = task;
      const result = task.routine.return(undefined);
      // An async function is unwound in microtasks: the task is not running meanwhile.
      if (result.done === true || (result === PARK && task.state !== RUNNING)) return result;
    }
    this.setup.logger?.log("error", "a killed task did not stop yielding and was dropped", { task: task.id });
    return { done: true, value: undefined };
  }

  /** `sys.exit`: return from the whole stack, as a kill does, but with a value. */
  #leave(task: Task): IteratorResult<unknown, unknown> {
    task.more().reason = task.value;
    task.value = undefined;
    task.flags |= KILLED | LEAVING;
    return this.#unwind(task);
  }

  #returned(task: Task, value: unknown): void {
    if ((task.flags & KILLED) !== 0) this.#unwound(task);
    else this.end(task, FINISHED, { kind: "ok", value });
  }

  #unwound(task: Task): void {
    const reason = task.extra?.reason;
    if ((task.flags & LEAVING) !== 0) this.end(task, FINISHED, { kind: "ok", value: reason });
    else this.end(task, CANCELLED, { kind: "killed", reason });
  }

  #crashed(task: Task, error: unknown): void {
    const extra = task.extra;
    if ((task.flags & KILLED) !== 0) {
      if (!(error instanceof errors.TaskKilledError)) {
        const fields = { task: task.id, error: shown(error) };
        this.setup.logger?.log("warn", "cleaning up an ending task failed", fields);
      }
      this.#unwound(task);
    } else if (extra !== null && extra.cancelError !== undefined && extra.cancelError === error)
      this.end(task, CANCELLED, { kind: "cancelled", reason: extra.reason });
    else {
      const failure = error instanceof Error ? error : new errors.ThrewNonErrorError(task.id, error);
      this.end(task, FAILED, { kind: "failed", error: failure });
    }
  }

  #badYield(task: Task): void {
    task.value = new errors.BadYieldError(task.id);
    task.flags |= BAD_YIELD;
    this.transition(task, READY);
    this.#queue(task);
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

/** Whether a parked task stands in a queue, alone or with a select. */
function waitsIn(task: Task, queue: TaskList | undefined): boolean {
  if (queue === undefined) return false;
  return task.list === queue || task.extra?.nodes?.some((node) => node.queue === queue) === true;
}
