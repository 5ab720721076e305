/**
 * How long tasks live and wait to run, how long messages wait, and how many tasks are in which state, for a meter.
 *
 * TT1. Resolution: the clock is read once per slice, and again after every `turnsPerReading` turns in it. Everything that happens between two
 *      readings has the time of the first, so an interval is wrong by at most the time between two readings on each side.
 * TT2. What happens between slices has the time of the first thing that happened there.
 * TT3. No clock is read per message.
 * TT4. The numbers of tasks by state add up to the tasks that live.
 */
import type { Clock, Meter } from "@glia-os/abi/ports";
import { INDEX_MASK } from "../slot-id.ts";
import { RUNNING, STATE_NAMES, type TaskId, type TaskState, WAITING } from "../task.ts";
import { Histogram } from "./histogram.ts";
import type { LifeObserver, TransitionObserver } from "./task-observer.ts";

/** How times are measured. */
export interface MeasureOptions {
  /** Turns of tasks between two readings of the clock: 1 (every turn is timed) to 65,536; default 16. */
  readonly turnsPerReading?: number;
}

export const TURNS_PER_READING = 16;
export const TURNS_PER_READING_MOST = 65_536;

const STATES = STATE_NAMES.length;
const READY = STATE_NAMES.indexOf("ready");
const LABELS = STATE_NAMES.map((state) => ({ state }));
const NUMBERS = new Map<TaskState, number>(STATE_NAMES.map((name, number) => [name, number]));
/** Per task: when it was made, since when it is ready, its state, and whether it ran. */
const STRIDE = 4;
const BORN = 0;
const READY_SINCE = 1;
const STATE = 2;
const RAN = 3;
const INITIAL_ROOM = 64;
const MS = 1000;

/** Measures one kernel. */
export class TaskTimes implements LifeObserver, TransitionObserver {
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #turnsPerReading: number;
  readonly #lifetimes = new Histogram("mayfly_task_latency_seconds");
  readonly #firstRuns = new Histogram("task_run_latency_seconds");
  readonly #waits = new Histogram("task_wait_time_seconds");
  readonly #messages = new Histogram("glia_message_wait_seconds");
  readonly #present: Float64Array = new Float64Array(STATES);
  readonly #entered: Float64Array = new Float64Array(STATES);
  /** What the meter knows of `#entered` and of `#present`. */
  readonly #told: Float64Array = new Float64Array(STATES);
  readonly #toldPresent: Float64Array = new Float64Array(STATES).fill(-1);
  #tasks: Float64Array = new Float64Array(INITIAL_ROOM * STRIDE);
  #nowMs = 0;
  #stale = true;
  #turnsLeft = 0;

  constructor(clock: Clock, meter: Meter, turnsPerReading: number) {
    this.#clock = clock;
    this.#meter = meter;
    this.#turnsPerReading = turnsPerReading;
  }

  /** The present time as far as it is known (TT1, TT2), in milliseconds. */
  stamp(): number {
    if (this.#stale) this.#read(this.#clock.monotonicMs());
    return this.#nowMs;
  }

  /** A slice begins. */
  begin(nowMs: number): void {
    this.#read(nowMs);
  }

  /** A slice has ended: hand everything to the meter. */
  publish(): void {
    this.#stale = true;
    const meter = this.#meter;
    for (const histogram of [this.#lifetimes, this.#firstRuns, this.#waits, this.#messages])
      histogram.publish(meter);
    for (let state = 0; state < STATES; state++) {
      const fresh = this.#entered[state]! - this.#told[state]!;
      if (fresh > 0) meter.count("tasks_state_total", fresh, LABELS[state]);
      this.#told[state] = this.#entered[state]!;
      if (state <= WAITING) this.#gauge(state, this.#present[state]!);
    }
  }

  /** A message that came at `sinceMs` leaves its mailbox. */
  messageLeft(sinceMs: number): void {
    this.#messages.record((this.stamp() - sinceMs) / MS);
  }

  spawned(task: TaskId): void {
    const at = (task & INDEX_MASK) * STRIDE;
    while (at >= this.#tasks.length) this.#grow();
    const now = this.stamp();
    this.#tasks[at + BORN] = now;
    this.#tasks[at + READY_SINCE] = now;
    this.#tasks[at + STATE] = READY;
    this.#tasks[at + RAN] = 0;
    this.#present[READY]!++;
    this.#entered[READY]!++;
  }

  ended(task: TaskId): void {
    const at = (task & INDEX_MASK) * STRIDE;
    this.#lifetimes.record((this.stamp() - this.#tasks[at + BORN]!) / MS);
  }

  transition(task: TaskId, _from: TaskState, to: TaskState): void {
    const at = (task & INDEX_MASK) * STRIDE;
    const state = NUMBERS.get(to)!;
    // Not `_from`: while a function has control between slices its task is moved without a word.
    this.#present[this.#tasks[at + STATE]!]!--;
    this.#present[state]!++;
    this.#entered[state]!++;
    this.#tasks[at + STATE] = state;
    if (state === READY) this.#tasks[at + READY_SINCE] = this.stamp();
    else if (state === RUNNING) this.#ran(at);
  }

  /** Tell how many tasks are in a state, when that has changed. */
  #gauge(state: number, tasks: number): void {
    if (tasks === this.#toldPresent[state]) return;
    this.#toldPresent[state] = tasks;
    this.#meter.gauge("tasks_running_total", tasks, LABELS[state]);
    if (state === READY) this.#meter.gauge("scheduler_ready_queue_depth", tasks);
  }

  #ran(at: number): void {
    if (--this.#turnsLeft <= 0) this.#read(this.#clock.monotonicMs());
    const now = this.stamp();
    this.#waits.record((now - this.#tasks[at + READY_SINCE]!) / MS);
    if (this.#tasks[at + RAN] === 1) return;
    this.#tasks[at + RAN] = 1;
    this.#firstRuns.record((now - this.#tasks[at + BORN]!) / MS);
  }

  #read(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#stale = false;
    this.#turnsLeft = this.#turnsPerReading;
  }

  #grow(): void {
    const tasks = new Float64Array(this.#tasks.length * 2);
    tasks.set(this.#tasks);
    this.#tasks = tasks;
  }
}
