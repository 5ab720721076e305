/**
 * Tasks in queues: how they change their state, leave a wait and become ready.
 *
 * S2. A task leaves a wait in one of four ways: resumed with a value, resumed with an error, killed, or its kernel is dropped. Each
 *     takes it out of every queue, timer and pending effect first (`detach`), so nothing is delivered to it afterwards.
 */
import type { PendingReply } from "./call.ts";
import { ChosenOrder } from "./chosen-order.ts";
import { BadTransitionError } from "./errors.ts";
import { External } from "./external.ts";
import type { TransitionObserver } from "./observe/task-observer.ts";
import { CALL, SELECT, WAIT_ANY, WAIT_ON } from "./opcodes.ts";
import { ReadyQueue } from "./ready-queue.ts";
import type { SchedulerSetup } from "./scheduler-setup.ts";
import {
  READY as READY_,
  STATE_NAMES,
  type Task,
  type TaskId,
  type TaskList,
  THROWING as THROWING_,
  TRANSITIONS,
  WAITING as WAITING_,
} from "./task.ts";
import type { TimerQueue } from "./timer-wheel/timer-queue.ts";
import { WaitMap } from "./wait-map.ts";

// Constants of this module: the engine folds them, which it does not do with what a module imports or exports.
const READY = READY_;
const THROWING = THROWING_;
const WAITING = WAITING_;

/** The queues of one kernel. The scheduler is this and more. */
export class Waking {
  /** Whether ready work should be announced to the shell. */
  announce: (() => void) | null = null;
  /** Who hears of state changes (`observe/task-observer.ts`). */
  observer: TransitionObserver | null = null;
  declare readonly setup: SchedulerSetup;
  declare readonly ready: ReadyQueue;
  declare readonly timers: TimerQueue<Task>;
  readonly waits: WaitMap = new WaitMap();

  constructor(setup: SchedulerSetup) {
    const { agingSwitches, choose } = setup;
    this.setup = setup;
    this.ready = choose === null ? new ReadyQueue(agingSwitches) : new ChosenOrder(agingSwitches, choose);
    this.timers = setup.timers;
  }

  /** Change a task's state along the table. */
  transition(task: Task, to: number): void {
    const from = task.state;
    if (((TRANSITIONS[from]! >> to) & 1) === 0)
      throw new BadTransitionError(task.id, STATE_NAMES[from] ?? "?", STATE_NAMES[to] ?? "?");
    task.state = to;
    if (this.observer !== null) this.observer.transition(task.id, STATE_NAMES[from]!, STATE_NAMES[to]!);
  }

  /** A task is ready: put it where its turn will come, and tell the shell when it waits for work. */
  queue(task: Task): void {
    this.ready.push(task);
    const announce = this.announce;
    if (announce !== null) {
      this.announce = null;
      announce();
    }
  }

  /** A parked task that stands in no list any more goes on with a value. */
  resume(task: Task, value: unknown): void {
    if (task.timerAt >= 0) this.timers.cancel(task);
    task.value = value;
    task.arg = undefined;
    const state = task.state;
    if (state === WAITING && this.observer === null) task.state = READY;
    else this.transition(task, READY);
    this.queue(task);
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

  #leaveQueues(task: Task): void {
    const nodes = task.extra?.nodes;
    if (nodes === null || nodes === undefined) return;
    for (const node of nodes) node.queue.leave(node);
    task.extra!.nodes = null;
    this.waits.pruneAll(nodes);
  }
}
