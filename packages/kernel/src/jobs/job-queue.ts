/**
 * A named queue: how many jobs it holds and runs, and how full it is.
 *
 * Q1. `held` counts the jobs that wait, those between two attempts, and the places promised to submitters that wait. A job is taken
 *     only while it is below `capacity`. Jobs that ran and will be tried again come back even so: at most `concurrency` of them.
 * Q2. Submitters that wait get room first come, first served; nobody passes them.
 * Q3. Pressure is held / capacity. At 0.8 the queue asks to pause, below 0.5 to go on; an observer hears each change once.
 */
import type { QueueDump } from "../dump.ts";
import { BadOptionError } from "../errors.ts";
import type { Flow, FlowOptions } from "../fair-share/fair-queue.ts";
import { checkOptions } from "../options.ts";
import { LEVELS, type Priority } from "../ready-queue.ts";
import { shown } from "../shown.ts";

const CONCURRENCY = 16;
const CONCURRENCY_MOST = 1_000_000;
const CAPACITY = 1024;
const CAPACITY_MOST = 1_048_576;
const PAUSE_AT = 0.8;
const RESUME_BELOW = 0.5;
const NAME_MOST = 64;
/** Default weights: a level counts twice the one below. */
const WEIGHTS: Readonly<Record<Priority, number>> = { low: 1, normal: 2, high: 4, critical: 8, system: 16 };

/** What a job is charged to its queue's share with. */
export type Charge = "jobs" | "syscalls" | "cpuMs";

/** How a queue is made. */
export interface QueueOptions {
  /** Jobs of this queue that run at a time: 1 to 1,000,000, default 16. */
  readonly concurrency?: number;
  /** Priority of its jobs' tasks, default `normal`. */
  readonly priority?: Priority;
  /** Share of the scheduler's concurrency relative to other queues: 0.001 to 1000. Default by priority: 1, 2, 4, 8, 16. */
  readonly weight?: number;
  /** Jobs it holds that do not run: 1 to 1,048,576, default 1024. */
  readonly capacity?: number;
  /**
   * What a job costs its queue. `jobs` (default): its `cost`. `syscalls` or `cpuMs`: what its attempt was measured to take, at most
   * 100,000, charged when the attempt ends.
   */
  readonly charge?: Charge;
}

/** A change of pressure. */
export interface PressureChange {
  readonly queue: string;
  /** 0 to 1. */
  readonly value: number;
  /** Whether producers should pause. */
  readonly paused: boolean;
}

/** What happened to a queue's jobs since it was made. */
export interface QueueCounts {
  submitted: number;
  finished: number;
  failed: number;
  cancelled: number;
  refused: number;
  retried: number;
}

/** A submitter that waits for room. */
export interface Ticket {
  granted: boolean;
}

/** A queue of jobs, which are its flow's items. Internal. */
export class JobQueue<Job = unknown> {
  readonly name: string;
  readonly concurrency: number;
  readonly priority: Priority;
  readonly weight: number;
  readonly capacity: number;
  readonly charge: Charge;
  /** Its place in the fair queue; set once. */
  flow!: Flow<Job>;
  running = 0;
  backingOff = 0;
  paused = false;
  readonly counts: QueueCounts = {
    submitted: 0,
    finished: 0,
    failed: 0,
    cancelled: 0,
    refused: 0,
    retried: 0,
  };
  readonly observers: Set<(change: PressureChange) => void> = new Set();
  #promised = 0;
  readonly #waiting = new Set<Ticket>();

  constructor(name: string, options: QueueOptions) {
    checkOptions("the options of a queue", options);
    const { concurrency = CONCURRENCY, priority = "normal", capacity = CAPACITY, charge = "jobs" } = options;
    if (typeof name !== "string" || name.length === 0 || name.length > NAME_MOST)
      throw new BadOptionError("queue name", shown(name, 40), `text of 1 to ${NAME_MOST} characters`);
    if (!Object.hasOwn(LEVELS, priority))
      throw new BadOptionError("priority", priority, "low, normal, high, critical or system");
    if (charge !== "jobs" && charge !== "syscalls" && charge !== "cpuMs")
      throw new BadOptionError("charge", charge, "jobs, syscalls or cpuMs");
    countFrom1("concurrency", concurrency, CONCURRENCY_MOST);
    countFrom1("capacity", capacity, CAPACITY_MOST);
    this.name = name;
    this.concurrency = concurrency;
    this.priority = priority;
    this.weight = options.weight ?? WEIGHTS[priority];
    this.capacity = capacity;
    this.charge = charge;
  }

  /** How its flow is made: the capacity is watched here, where jobs between attempts count too. */
  get flowOptions(): FlowOptions {
    return { weight: this.weight, capacity: CAPACITY_MOST };
  }

  /** Places taken (Q1). */
  get held(): number {
    return this.flow.depth + this.backingOff + this.#promised;
  }

  get full(): boolean {
    return this.held >= this.capacity;
  }

  get pressure(): number {
    return Math.min(1, this.held / this.capacity);
  }

  /** Wait in line for room. */
  enter(): Ticket {
    const ticket = { granted: false };
    this.#waiting.add(ticket);
    return ticket;
  }

  /** Leave the line, or use the place that was promised. */
  leave(ticket: Ticket): void {
    if (ticket.granted) this.#promised--;
    else this.#waiting.delete(ticket);
  }

  /** The next in line who gets a place, which is promised to it; undefined when there is no room or no line (Q2). */
  promise(): Ticket | undefined {
    if (this.full) return undefined;
    for (const ticket of this.#waiting) {
      this.#waiting.delete(ticket);
      ticket.granted = true;
      this.#promised++;
      return ticket;
    }
    return undefined;
  }

  /** Nobody in line gets a place any more; those who stood there. */
  refuseAll(): readonly Ticket[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const ticket of waiting) {
      ticket.granted = true;
      this.#promised++;
    }
    return waiting;
  }

  /** The change of pressure since the last time, if there is one (Q3). */
  changed(): PressureChange | undefined {
    const value = this.pressure;
    const paused = this.paused ? value >= RESUME_BELOW : value >= PAUSE_AT;
    if (paused === this.paused) return undefined;
    this.paused = paused;
    return { queue: this.name, value, paused };
  }

  dump(): QueueDump {
    const { name, priority, weight, concurrency, capacity, running, backingOff, pressure, paused, counts } =
      this;
    const queued = this.flow.depth;
    return {
      name,
      priority,
      weight,
      concurrency,
      capacity,
      queued,
      running,
      backingOff,
      waitingForRoom: this.#waiting.size,
      pressure,
      paused,
      ...counts,
    };
  }
}

/** Refuse what is not a whole number from 1 to `most`. */
export function countFrom1(option: string, value: number, most: number): void {
  if (!(Number.isInteger(value) && value >= 1 && value <= most))
    throw new BadOptionError(option, value, `a whole number from 1 to ${most}`);
}
