/**
 * Timers on the host's clock, in a binary heap: O(log n) to set, O(1) to cancel.
 *
 * TM1. They fire in the order of their deadlines; at the same deadline in the order they were set.
 * TM2. A deadline is wall time. Timers that were set when the module was built run from the moment the agent does.
 */
import { GuestError } from "./errors.ts";

interface Timer {
  readonly id: number;
  dueMs: number;
  readonly everyMs: number | undefined;
  readonly run: () => void;
}

/** Most timers at once. */
export const TIMERS_MAX = 65_536;
const LONGEST_MS = 9e12;

const heap: Timer[] = [];
const live = new Map<number, Timer>();
let lastId = 0;
let builtMs: number = Date.now();

function before(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.id < b.id);
}

function push(timer: Timer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as Timer;
    if (!before(timer, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = timer;
}

function pop(): void {
  const last = heap.pop() as Timer;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && before(heap[below + 1] as Timer, heap[below] as Timer)) below++;
    const child = heap[below] as Timer;
    if (!before(child, last)) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = last;
}

function first(): Timer | undefined {
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    if (live.has(top.id)) return top;
    pop();
  }
  return undefined;
}

/** Run a function after some milliseconds (0 to 9e12), and again every so often when `repeat`. Returns what cancels it. */
export function setTimer(run: () => void, afterMs: number, repeat: boolean): number {
  if (typeof run !== "function") throw new GuestError("bad-argument", "a timer needs a function");
  if (live.size >= TIMERS_MAX)
    throw new GuestError("refused", `the agent has ${TIMERS_MAX} timers already`, "E_LIMIT");
  const delay = Math.min(LONGEST_MS, Math.max(0, Number.isNaN(Number(afterMs)) ? 0 : Number(afterMs)));
  const id = ++lastId;
  const timer = { id, dueMs: Date.now() + delay, everyMs: repeat ? Math.max(1, delay) : undefined, run };
  live.set(id, timer);
  push(timer);
  return id;
}

/** Cancel a timer. Unknown ids are ignored. */
export function clearTimer(id: unknown): void {
  live.delete(id as number);
  if (live.size === 0) heap.length = 0;
}

/** Milliseconds until the next timer, 0 when one is due, Infinity when there is none. */
export function untilNextTimer(): number {
  if (heap.length === 0) return Infinity;
  const next = first();
  return next === undefined ? Infinity : Math.max(0, next.dueMs - Date.now());
}

/** Run the first timer that is due; whether there was one. */
export function fireTimer(): boolean {
  const next = first();
  if (next === undefined || next.dueMs > Date.now()) return false;
  pop();
  if (next.everyMs === undefined) live.delete(next.id);
  else {
    next.dueMs = Date.now() + next.everyMs;
    push(next);
  }
  next.run();
  return true;
}

/** The agent runs now: deadlines set at build time count from here (TM2). */
export function startTimers(): void {
  const shiftMs = Date.now() - builtMs;
  builtMs += shiftMs;
  for (const timer of heap) timer.dueMs += shiftMs;
}
