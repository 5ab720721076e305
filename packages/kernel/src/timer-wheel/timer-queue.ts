/** What the scheduler needs of a timer queue. The exact heap and the wheel both are one; one suite tests both. */

/** Something that has at most one timer. */
export interface Timed {
  /** Its place in the queue; -1 without a timer. Written by the queue only. */
  timerAt: number;
}

/**
 * Deadlines of many things, in milliseconds of the monotonic clock.
 *
 * W1. Nothing expires before its deadline.
 * W2. Whatever has a deadline at or before `nowMs` is expired by the calls of `expire(nowMs)` until they give null: at once by an exact
 *     queue, one resolution later at most by one that rounds up.
 * W3. Each timer expires once, or is cancelled. A cancelled one never expires.
 * W4. `next` is never after the moment something expires, and later than every `nowMs` that was expired to the end.
 */
export interface TimerQueue<Item extends Timed> {
  /** How much later than its deadline a timer may expire: 0 for an exact queue. Milliseconds. */
  readonly resolutionMs: number;
  /** Timers that are set. */
  readonly size: number;
  /** When to call `expire` again; Infinity without timers. */
  readonly next: number;
  /** The deadline of something that has a timer. */
  deadlineOf(item: Item): number | undefined;
  /** Set a timer. The item must have none. */
  set(item: Item, deadlineMs: number): void;
  /** Forget a timer, if there is one. */
  cancel(item: Item): void;
  /** Take one whose deadline has come, or null. `nowMs` must not go back. */
  expire(nowMs: number): Item | null;
}
