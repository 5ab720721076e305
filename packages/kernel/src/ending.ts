/**
 * How tasks end: by returning, failing, `exit`, a kill or a cancellation.
 *
 * S3. Killing is done by the scheduler at the victim's next turn, before every ordinary task: the killer's stack never runs it.
 * S4. What a task throws ends that task and touches no other.
 */
import { CapabilityTable, type KernelObject } from "./capability-table.ts";
import { UNWIND_ATTEMPTS } from "./constants.ts";
import * as errors from "./errors.ts";
import { lostCapability } from "./lost-capability.ts";
import type { LifeObserver } from "./observe/task-observer.ts";
import { PARK } from "./operation.ts";
import { LEVELS } from "./ready-queue.ts";
import type { SchedulerSetup, UnobservedFailure } from "./scheduler-setup.ts";
import type { Seam } from "./seam.ts";
import { shown } from "./shown.ts";
import { RelationTable } from "./supervision/relations.ts";
import {
  BAD_YIELD,
  CANCEL_ASKED,
  CANCEL_PENDING,
  CANCELLED,
  ENDED,
  type Exit,
  FAILED,
  FINISHED,
  KILLED as KILLED_,
  LEAVING,
  READY,
  RESUMING,
  RUNNING,
  SLEEPING,
  Task,
  THROWING,
  WAITING,
} from "./task.ts";
import { TaskTable } from "./task-table.ts";
import { Waking } from "./waking.ts";

// A constant of this module: the engine folds it, which it does not do with what a module imports.
const KILLED = KILLED_;

/** The tasks of one kernel and how they end. The scheduler is this and more. */
export class Ending extends Waking {
  /** The task whose code runs. */
  current: Task | null = null;
  live = 0;
  /** Who hears of the begin and the end of tasks (`observe/task-observer.ts`). */
  lives: LifeObserver | null = null;
  /** Hears of failures that nobody waits for. */
  onFailure: ((failure: UnobservedFailure) => void) | null = null;
  /** Owner of the shell's handles; never runs. */
  readonly shell: Task = new Task(ENDED, LEVELS.system, 0, "", 0);
  /** Set once, by the scheduler's `attach`. */
  orphaned: ((object: KernelObject) => void) | null = null;
  declare readonly tasks: TaskTable;
  declare readonly capabilities: CapabilityTable;
  declare readonly relations: RelationTable;
  /** Set once, by the scheduler's `attach`. */
  declare seam: Seam;

  constructor(setup: SchedulerSetup) {
    super(setup);
    this.tasks = new TaskTable(setup.taskLimit, setup.endedLimit);
    this.capabilities = new CapabilityTable(setup.handleLimit, {
      lost: (owner, object) => lostCapability(this, this.capabilities, owner, object),
      orphaned: (object) => this.orphaned?.(object),
      taskAt: (index) => (index < 0 ? this.shell : this.tasks.at(index)),
    });
    this.relations = new RelationTable(this, this.capabilities);
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
    this.queue(task);
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

  /** A task that is being ended may not wait; one whose cancellation has not shown sees it now. */
  interrupt(task: Task): never {
    if ((task.flags & KILLED) !== 0) throw new errors.TaskKilledError(task.id);
    task.flags &= ~CANCEL_PENDING;
    throw this.cancellation(task);
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
    extra?.account?.leave();
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

  /** Run `finally` blocks from the inside out. One that yields is asked again, up to a bound; then the generator is dropped. */
  unwind(task: Task): IteratorResult<unknown, unknown> {
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
  leave(task: Task): IteratorResult<unknown, unknown> {
    task.more().reason = task.value;
    task.value = undefined;
    task.flags |= KILLED | LEAVING;
    return this.unwind(task);
  }

  returned(task: Task, value: unknown): void {
    if ((task.flags & KILLED) !== 0) this.#unwound(task);
    else this.end(task, FINISHED, { kind: "ok", value });
  }

  #unwound(task: Task): void {
    const reason = task.extra?.reason;
    if ((task.flags & LEAVING) !== 0) this.end(task, FINISHED, { kind: "ok", value: reason });
    else this.end(task, CANCELLED, { kind: "killed", reason });
  }

  crashed(task: Task, error: unknown): void {
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

  badYield(task: Task): void {
    task.value = new errors.BadYieldError(task.id);
    task.flags |= BAD_YIELD;
    this.transition(task, READY);
    this.queue(task);
  }
}
