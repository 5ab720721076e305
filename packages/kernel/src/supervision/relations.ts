/**
 * Links and monitors: what the end of one task does to others.
 *
 * LK1. A link is symmetric. When one end ends abnormally, the other is killed with the same reason, or told when it traps exits.
 * LK2. A normal end only tells those that trap exits. A killed task cannot trap its own kill.
 * LK3. A monitor tells once. Relating to a task that has ended delivers at once.
 * LK4. Whatever a task related to ends with it: no list of the kernel names an ended task.
 */

import type { CapabilityTable } from "../capability-table.ts";
import { MailboxFullError } from "../errors.ts";
import type { Mailbox } from "../mailbox.ts";
import { type Exit, type Task, WAITING } from "../task.ts";
import type { Waker } from "../waker.ts";
import { RelationLimitError } from "./errors.ts";
import { exitReason } from "./exit-reason.ts";
import type { MonitorId } from "./monitor-id.ts";
import { NameTable } from "./names.ts";
import { DownMessage, ExitMessage, NoticeRoom } from "./notice.ts";
import { type Monitor, Relations } from "./task-relations.ts";

/** Links one task may have, and monitors it may hold. */
export const RELATION_LIMIT = 65_536;

type TaskRelations = Relations<Task, Mailbox>;
type TaskMonitor = Monitor<Task, Mailbox>;

/** All relations of one kernel. */
export class RelationTable {
  readonly room: NoticeRoom = new NoticeRoom();
  readonly names: NameTable;
  readonly #waker: Waker;
  #monitors = 0;

  /** Made by the scheduler. */
  constructor(waker: Waker, capabilities: CapabilityTable) {
    this.#waker = waker;
    this.names = new NameTable(capabilities);
  }

  /** Link two tasks (LK1). Linking twice, or to itself, changes nothing. @throws {RelationLimitError} */
  link(task: Task, target: Task): void {
    if (task === target) return;
    const own = of(task);
    if (target.state > WAITING) {
      this.#linkedToEnded(task, own, target);
      return;
    }
    if (own.links.has(target)) return;
    const theirs = of(target);
    if (own.links.size >= RELATION_LIMIT || theirs.links.size >= RELATION_LIMIT)
      throw new RelationLimitError("links of one task", RELATION_LIMIT);
    if (own.trap !== null) this.room.keep(own.trap, 1);
    try {
      if (theirs.trap !== null) this.room.keep(theirs.trap, 1);
    } catch (error) {
      if (own.trap !== null) this.room.free(own.trap, 1);
      throw error;
    }
    own.links.add(target);
    theirs.links.add(task);
  }

  /** Take a link away, if there is one. */
  unlink(task: Task, target: Task): void {
    const own = held(task);
    const theirs = held(target);
    if (own?.links.delete(target) !== true || theirs === null) return;
    theirs.links.delete(task);
    if (own.trap !== null) this.room.free(own.trap, 1);
    if (theirs.trap !== null) this.room.free(theirs.trap, 1);
  }

  /** Tell a mailbox when a task ends (LK3). @throws {RelationLimitError} {MailboxClosedError} {BadOptionError} */
  monitor(watcher: Task, target: Task, mailbox: Mailbox): MonitorId {
    const own = of(watcher);
    if (own.watching.size >= RELATION_LIMIT)
      throw new RelationLimitError("monitors of one task", RELATION_LIMIT);
    this.room.keep(mailbox, 1);
    const monitor: TaskMonitor = { id: ++this.#monitors, watcher, target, mailbox };
    if (target.state > WAITING) this.#down(monitor, target.value as Exit, undefined);
    else {
      own.watching.set(monitor.id, monitor);
      of(target).watched.add(monitor);
    }
    return monitor.id;
  }

  /** Take a monitor of a task away. Returns false when it told already or never was this task's. */
  demonitor(watcher: Task, id: MonitorId): boolean {
    const monitor = held(watcher)?.watching.get(id);
    if (monitor === undefined) return false;
    held(watcher)!.watching.delete(id);
    held(monitor.target)?.watched.delete(monitor);
    this.room.free(monitor.mailbox, 1);
    return true;
  }

  /** Send exits to a mailbox instead of being killed by them; null for the usual way. */
  trap(task: Task, mailbox: Mailbox | null): void {
    const own = of(task);
    if (mailbox !== null) this.room.keep(mailbox, own.links.size);
    if (own.trap !== null) this.room.free(own.trap, own.links.size);
    own.trap = mailbox;
  }

  /** Send an exit signal. A normal one does nothing to a task that does not trap. @throws {MailboxFullError} {RelationLimitError} */
  signal(from: Task, target: Task, reason: unknown): void {
    if (target.state > WAITING) return;
    const trap = held(target)?.trap;
    if (trap !== null && trap !== undefined && !trap.closed) {
      if (trap.size >= trap.capacity) throw new MailboxFullError(trap.capacity);
      this.room.keep(trap, 1);
      this.room.deliver(this.#waker, trap, new ExitMessage(from.id, reason, undefined, undefined));
    } else if (reason !== "normal") this.#waker.kill(target, reason);
  }

  /** Register a name for a capability of `task` (NM1). */
  register(task: Task, name: string, handle: number, rights: number): void {
    this.names.register(task, name, handle as never, rights);
    of(task).names.add(name);
  }

  /** Give a name up. */
  unregister(task: Task, name: string): void {
    this.names.unregister(task, name);
    held(task)?.names.delete(name);
  }

  /** A task ended: tell whom it concerns (LK1-LK4). Returns whether a notice of the end reached a mailbox. */
  ended(task: Task, exit: Exit): boolean {
    const own = of(task);
    const reason = exitReason(exit);
    const syscalls = own.counted?.syscalls;
    let told = false;
    for (const name of own.names) this.names.release(name, task);
    for (const monitor of own.watching.values()) {
      held(monitor.target)?.watched.delete(monitor);
      this.room.free(monitor.mailbox, 1);
    }
    if (own.trap !== null) this.room.free(own.trap, own.links.size);
    for (const monitor of own.watched) {
      held(monitor.watcher)?.watching.delete(monitor.id);
      if (this.#down(monitor, exit, syscalls)) told = true;
    }
    for (const other of own.links) {
      const theirs = of(other);
      theirs.links.delete(task);
      const message = new ExitMessage(task.id, reason, exit, syscalls);
      if (theirs.trap !== null && this.room.deliver(this.#waker, theirs.trap, message)) told = true;
      else if (reason !== "normal") this.#waker.kill(other, reason);
    }
    return told;
  }

  #linkedToEnded(task: Task, own: TaskRelations, target: Task): void {
    const exit = target.value as Exit;
    const reason = exitReason(exit);
    if (own.trap !== null && !own.trap.closed) {
      this.room.keep(own.trap, 1);
      this.room.deliver(this.#waker, own.trap, new ExitMessage(target.id, reason, exit, undefined));
    } else if (reason !== "normal") this.#waker.kill(task, reason);
  }

  #down(monitor: TaskMonitor, exit: Exit, syscalls: number | undefined): boolean {
    const { id, target, mailbox } = monitor;
    const message = new DownMessage(id, target.id, exit, exitReason(exit), syscalls);
    return this.room.deliver(this.#waker, mailbox, message);
  }
}

/** The relations of a task that lives, made on first use. */
export function of(task: Task): TaskRelations {
  const extra = task.more();
  extra.relations ??= new Relations();
  return extra.relations as TaskRelations;
}

/** The relations of a task, if it has any. */
function held(task: Task): TaskRelations | null {
  return (task.extra?.relations ?? null) as TaskRelations | null;
}
