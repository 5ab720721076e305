/** Timers of one agent. Each gives a message; `every` skips a tick whose predecessor still waits. */
import { TIMERS_MAX } from "./constants.ts";
import { TooManyError } from "./errors.ts";
import type { PackedTimer } from "./packed-process.ts";

/** One timer. */
export interface AgentTimer {
  readonly id: number;
  dueMs: number;
  /** 0 for once. */
  readonly periodMs: number;
  readonly message: string;
  readonly input: unknown;
  /** Whether its last tick is in the mailbox. */
  ticking: boolean;
}

/** Timers by id. */
export class TimerTable {
  readonly #timers = new Map<number, AgentTimer>();
  #last = 0;

  /** Set a timer. Returns its id. @throws {TooManyError} */
  set(dueMs: number, periodMs: number, message: string, input: unknown): number {
    if (this.#timers.size >= TIMERS_MAX) throw new TooManyError("timers of the agent", TIMERS_MAX);
    const id = ++this.#last;
    this.#timers.set(id, { id, dueMs, periodMs, message, input, ticking: false });
    return id;
  }

  /** All, and the last id that was given: as of a time. */
  packed(nowMs: number): { readonly last: number; readonly timers: PackedTimer[] } {
    const timers = [...this.#timers.values()].map(({ dueMs, ...timer }) => ({
      ...timer,
      dueMs: dueMs - nowMs,
    }));
    return { last: this.#last, timers };
  }

  /** Those of another table, which is now this one. */
  restore(last: number, timers: readonly PackedTimer[], nowMs: number): void {
    this.#last = last;
    for (const timer of timers) this.#timers.set(timer.id, { ...timer, dueMs: timer.dueMs + nowMs });
  }

  /** Forget a timer. */
  cancel(id: number): boolean {
    return this.#timers.delete(id);
  }

  /** Its tick is taken up. */
  taken(id: number): void {
    const timer = this.#timers.get(id);
    if (timer !== undefined) timer.ticking = false;
  }

  /** The earliest time at which one is due. O(timers). */
  get nextMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#timers.values()) next = Math.min(next, dueMs);
    return next;
  }

  /** Those that give a message now; others that are due only go on. O(timers). */
  due(nowMs: number): AgentTimer[] {
    const due: AgentTimer[] = [];
    for (const timer of this.#timers.values()) {
      if (timer.dueMs > nowMs) continue;
      if (!timer.ticking) due.push(timer);
      if (timer.periodMs === 0) this.#timers.delete(timer.id);
      else {
        timer.ticking = true;
        timer.dueMs += timer.periodMs * Math.max(1, Math.ceil((nowMs - timer.dueMs) / timer.periodMs));
        if (timer.dueMs <= nowMs) timer.dueMs += timer.periodMs;
      }
    }
    return due.sort((a, b) => a.dueMs - a.periodMs - (b.dueMs - b.periodMs) || a.id - b.id);
  }
}
