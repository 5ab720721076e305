/**
 * The exact timer queue: a 4-ary heap of (deadline, sequence), kept as parallel arrays.
 *
 * H1. Timers fire in order of deadline; equal deadlines in the order they were set. So a run on a virtual clock is one fixed run.
 * H2. A task has at most one timer; `timerAt` is its place in the heap, -1 without one. Cancelling is O(log n).
 */
import type { Timed, TimerQueue } from "./timer-wheel/timer-queue.ts";

const ARITY = 4;

/** Exact deadlines. */
export class TimerHeap<Item extends Timed> implements TimerQueue<Item> {
  readonly resolutionMs = 0;
  #size = 0;
  #sequence = 0;
  readonly #deadlines: number[] = [];
  readonly #sequences: number[] = [];
  readonly #tasks: Item[] = [];

  /** Timers that are set. */
  get size(): number {
    return this.#size;
  }

  /** The earliest deadline in milliseconds of the monotonic clock, or Infinity. */
  get next(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#deadlines[0]!;
  }

  /** The deadline of a task that has a timer. */
  deadlineOf(task: Item): number | undefined {
    return task.timerAt < 0 ? undefined : this.#deadlines[task.timerAt];
  }

  /** Set a task's timer. The task must have none (H2). */
  set(task: Item, deadlineMs: number): void {
    this.#up(this.#size++, deadlineMs, this.#sequence++, task);
  }

  /** Forget a task's timer, if it has one. */
  cancel(task: Item): void {
    const at = task.timerAt;
    if (at < 0) return;
    task.timerAt = -1;
    const last = --this.#size;
    const deadline = this.#deadlines.pop()!;
    const sequence = this.#sequences.pop()!;
    const moved = this.#tasks.pop()!;
    if (at === last) return;
    if (at > 0 && this.#before(deadline, sequence, (at - 1) >> 2)) this.#up(at, deadline, sequence, moved);
    else this.#down(at, deadline, sequence, moved);
  }

  /** Take the first task whose deadline is at or before `nowMs`, or null. */
  expire(nowMs: number): Item | null {
    if (this.#size === 0 || this.#deadlines[0]! > nowMs) return null;
    const task = this.#tasks[0]!;
    this.cancel(task);
    return task;
  }

  #before(deadline: number, sequence: number, at: number): boolean {
    const other = this.#deadlines[at]!;
    return deadline < other || (deadline === other && sequence < this.#sequences[at]!);
  }

  #put(at: number, deadline: number, sequence: number, task: Item): void {
    this.#deadlines[at] = deadline;
    this.#sequences[at] = sequence;
    this.#tasks[at] = task;
    task.timerAt = at;
  }

  #copy(from: number, to: number): void {
    this.#put(to, this.#deadlines[from]!, this.#sequences[from]!, this.#tasks[from]!);
  }

  #up(start: number, deadline: number, sequence: number, task: Item): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      if (!this.#before(deadline, sequence, parent)) break;
      this.#copy(parent, at);
      at = parent;
    }
    this.#put(at, deadline, sequence, task);
  }

  #down(start: number, deadline: number, sequence: number, task: Item): void {
    let at = start;
    for (;;) {
      const first = at * ARITY + 1;
      if (first >= this.#size) break;
      let least = first;
      const end = Math.min(first + ARITY, this.#size);
      for (let child = first + 1; child < end; child++) {
        if (this.#before(this.#deadlines[child]!, this.#sequences[child]!, least)) least = child;
      }
      if (this.#before(deadline, sequence, least)) break;
      this.#copy(least, at);
      at = least;
    }
    this.#put(at, deadline, sequence, task);
  }
}
