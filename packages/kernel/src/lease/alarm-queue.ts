/**
 * Timers of the kernel itself, for what no parked task waits for: a binary heap of (deadline, sequence).
 *
 * AL1. Alarms go off in order of deadline; equal deadlines in the order they were set.
 * AL2. An alarm is set at most once at a time; `at` is its place, -1 when it is not set. Setting and cancelling are O(log n).
 */

/** Something to be done at a moment. */
export interface Alarm {
  deadlineMs: number;
  sequence: number;
  /** Place in the heap, -1 when not set (AL2). */
  at: number;
  /** Called once when the moment has come. Must not throw. */
  ring(): void;
}

/** Alarms by deadline. */
export class AlarmQueue {
  #sequence = 0;
  readonly #heap: Alarm[] = [];

  /** Alarms that are set. */
  get size(): number {
    return this.#heap.length;
  }

  /** The earliest deadline in milliseconds of the monotonic clock, or Infinity. */
  get next(): number {
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#heap[0]!.deadlineMs;
  }

  /** Set an alarm that is not set. */
  set(alarm: Alarm, deadlineMs: number): void {
    alarm.deadlineMs = deadlineMs;
    alarm.sequence = this.#sequence++;
    this.#up(this.#heap.push(alarm) - 1, alarm);
  }

  /** Forget an alarm, if it is set. */
  cancel(alarm: Alarm): void {
    const { at } = alarm;
    if (at < 0) return;
    alarm.at = -1;
    const last = this.#heap.pop()!;
    if (last === alarm) return;
    if (at > 0 && before(last, this.#heap[(at - 1) >> 1]!)) this.#up(at, last);
    else this.#down(at, last);
  }

  /** Ring every alarm whose deadline is at or before `nowMs`, and those set for such a deadline meanwhile. */
  expire(nowMs: number): void {
    for (let alarm = this.#heap[0]; alarm !== undefined && alarm.deadlineMs <= nowMs; alarm = this.#heap[0]) {
      this.cancel(alarm);
      alarm.ring();
    }
  }

  #put(at: number, alarm: Alarm): void {
    this.#heap[at] = alarm;
    alarm.at = at;
  }

  #up(start: number, alarm: Alarm): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(alarm, this.#heap[parent]!)) break;
      this.#put(at, this.#heap[parent]!);
      at = parent;
    }
    this.#put(at, alarm);
  }

  #down(start: number, alarm: Alarm): void {
    const heap = this.#heap;
    let at = start;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (before(alarm, heap[child]!)) break;
      this.#put(at, heap[child]!);
      at = child;
    }
    this.#put(at, alarm);
  }
}

function before(a: Alarm, b: Alarm): boolean {
  return a.deadlineMs < b.deadlineMs || (a.deadlineMs === b.deadlineMs && a.sequence < b.sequence);
}
