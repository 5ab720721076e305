/**
 * Intrusive doubly linked lists of tasks: the ready lists and every wait queue.
 *
 * L1. A task is in at most one list; `task.list` names it. So removal from "whatever it waits in" is O(1) and allocates nothing.
 * L2. A task in `select` waits in several queues at once. It stands there as one {@link SelectNode} per queue, never as itself.
 */
import type { Task } from "./task.ts";

/** One wait of a `select`, standing in one queue. */
export interface SelectNode {
  readonly task: Task;
  /** Position in the list given to `select`. */
  readonly index: number;
  readonly queue: TaskList;
  prev: SelectNode | null;
  next: SelectNode | null;
}

/** A first-in first-out list of tasks. */
export class TaskList {
  head: Task | null = null;
  tail: Task | null = null;
  /** First and last select that waits here (L2). */
  firstNode: SelectNode | null = null;
  lastNode: SelectNode | null = null;

  /** Whether nobody waits here. */
  get idle(): boolean {
    return this.head === null && this.firstNode === null;
  }

  /** Add at the end. The task must be in no list (L1). */
  push(task: Task): void {
    const tail = this.tail;
    task.list = this;
    task.prev = tail;
    if (tail === null) this.head = task;
    else tail.next = task;
    this.tail = task;
  }

  /** Take the first. */
  shift(): Task | null {
    const task = this.head;
    if (task === null) return null;
    const next = task.next;
    this.head = next;
    if (next === null) this.tail = null;
    else next.prev = null;
    task.next = null;
    task.list = null;
    return task;
  }

  /** Take one out of the middle. The task must be in this list. */
  remove(task: Task): void {
    const { prev, next } = task;
    if (prev === null) this.head = next;
    else prev.next = next;
    if (next === null) this.tail = prev;
    else next.prev = prev;
    task.prev = null;
    task.next = null;
    task.list = null;
  }

  /** Let a select wait here, behind the selects that already do. */
  join(task: Task, index: number): SelectNode {
    const node: SelectNode = { task, index, queue: this, prev: this.lastNode, next: null };
    if (this.lastNode === null) this.firstNode = node;
    else this.lastNode.next = node;
    this.lastNode = node;
    return node;
  }

  /** Take a select out. */
  leave(node: SelectNode): void {
    if (node.prev === null) this.firstNode = node.next;
    else node.prev.next = node.next;
    if (node.next === null) this.lastNode = node.prev;
    else node.next.prev = node.prev;
  }

  /** How many tasks stand here, selects not counted. O(n). */
  count(): number {
    let n = 0;
    for (let task = this.head; task !== null; task = task.next) n++;
    return n;
  }
}
