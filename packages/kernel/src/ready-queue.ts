/**
 * The ready tasks: one list per priority level and a bitmap of the lists that are not empty.
 *
 * Q1. The first task of the highest level that has any runs next; inside a level, first in first out.
 * Q2. Nothing starves: every `agingSwitches` switches the first task of each level below Critical that has waited moves to
 *     the end of the next level. A promoted task returns to its own level the next time it becomes ready.
 * Q3. A task that becomes ready while no other is stands in no list until another one comes: handing a turn to and fro touches none.
 */

import type { Task } from "./task.ts";
import { TaskList } from "./task.ts";

/** A task's importance; `system` is for the shell only. */
export type Priority = "low" | "normal" | "high" | "critical" | "system";

/** Level numbers by name, least important first. */
export const LEVELS: Readonly<Record<Priority, number>> = {
  low: 0,
  normal: 1,
  high: 2,
  critical: 3,
  system: 4,
};
/** Names by level number. */
export const LEVEL_NAMES: readonly Priority[] = ["low", "normal", "high", "critical", "system"];
/** Tasks below this level are promoted by aging. */
const AGING_CEILING = 3;

/** The scheduler's ready lists. */
export class ReadyQueue {
  /** The ready task while it is the only one, which then stands in no list (Q3). */
  #only: Task | null = null;
  /** Bit per level whose list has a task. */
  #bits = 0;
  /** The bits put aside by `hold`. */
  #held = 0;
  #untilAging = 0;
  #agingSwitches = 0;
  readonly #lists: readonly TaskList[] = LEVEL_NAMES.map(() => new TaskList());

  constructor(agingSwitches: number) {
    this.#agingSwitches = agingSwitches;
    this.#untilAging = agingSwitches;
  }

  /** Whether no task is ready. */
  get empty(): boolean {
    return this.#only === null && this.#bits === 0;
  }

  /** Add a task at the end of its own level. */
  push(task: Task): void {
    if (this.#only === null && this.#bits === 0) this.#only = task;
    else this.#enlist(task);
  }

  /** Take the task that runs next (Q1), or null. */
  shift(): Task | null {
    const task = this.#only;
    if (task === null) return this.#bits === 0 ? null : this.#first();
    this.#only = null;
    return task;
  }

  /** Let `shift` find nothing until `release`: the slice ends here. */
  hold(): void {
    this.#settle();
    this.#held |= this.#bits;
    this.#bits = 0;
  }

  /** Let `shift` find what is ready again. */
  release(): void {
    this.#settle();
    this.#bits |= this.#held;
    this.#held = 0;
  }

  /** How many tasks stand in the highest level that has any. O(tasks of that level). */
  topCount(): number {
    this.#settle();
    return this.#bits === 0 ? 0 : this.#lists[31 - Math.clz32(this.#bits)]!.count();
  }

  /** Move the first `steps` tasks of the highest level to its end. */
  rotateTop(steps: number): void {
    this.#settle();
    const list = this.#lists[31 - Math.clz32(this.#bits)]!;
    for (let i = 0; i < steps; i++) list.push(list.shift()!);
  }

  /** Let a ready task run next at the level of another one, which stands in its place instead. */
  swap(due: Task, task: Task): void {
    this.#settle();
    due.list!.replace(due, task);
    this.#lists[task.level]!.unshift(due);
    this.#bits |= 1 << task.level;
  }

  /** Take a ready task out, wherever aging has put it. */
  remove(task: Task): void {
    if (task === this.#only) this.#only = null;
    const list = task.list;
    if (list === null) return;
    list.remove(task);
    if (list.head === null) this.#bits &= ~(1 << this.#lists.indexOf(list));
  }

  /** Ready tasks per level, least important first. O(ready tasks). */
  depths(): readonly number[] {
    this.#settle();
    return this.#lists.map((list) => list.count());
  }

  #enlist(task: Task): void {
    this.#settle();
    const level = task.level;
    this.#lists[level]!.push(task);
    this.#bits |= 1 << level;
  }

  /** Let the only task stand in its list, in front of whatever comes. */
  #settle(): void {
    const only = this.#only;
    if (only === null) return;
    this.#only = null;
    this.#lists[only.level]!.push(only);
    this.#bits |= 1 << only.level;
  }

  /** The first task of the highest level; there is one. */
  #first(): Task | null {
    if (--this.#untilAging <= 0) this.#age();
    const level = 31 - Math.clz32(this.#bits);
    const list = this.#lists[level]!;
    const task = list.shift();
    if (list.head === null) this.#bits &= ~(1 << level);
    return task;
  }

  #age(): void {
    this.#untilAging = this.#agingSwitches;
    for (let level = AGING_CEILING - 1; level >= 0; level--) {
      const list = this.#lists[level]!;
      const task = list.shift();
      if (task === null) continue;
      if (list.head === null) this.#bits &= ~(1 << level);
      this.#lists[level + 1]!.push(task);
      this.#bits |= 2 << level;
    }
  }
}
