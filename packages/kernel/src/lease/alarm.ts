/** Timers of the kernel itself, for what no parked task waits for. */
import { TimerHeap } from "../timer-heap.ts";
import type { Timed } from "../timer-wheel/timer-queue.ts";

/** Something to be done at a moment. */
export interface Alarm extends Timed {
  /** Called once when the moment has come. Must not throw. */
  ring(): void;
}

/** Alarms by deadline: they ring in order, equal deadlines in the order they were set. */
export class AlarmQueue extends TimerHeap<Alarm> {
  /** Ring every alarm whose deadline is at or before `nowMs`, and those set for such a deadline meanwhile. */
  ring(nowMs: number): void {
    for (let alarm = this.expire(nowMs); alarm !== null; alarm = this.expire(nowMs)) alarm.ring();
  }
}
