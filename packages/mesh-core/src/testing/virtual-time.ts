/**
 * Virtual time for tests: a clock and timers that advance only when asked.
 *
 * VT1. Timers fire in the order of their time, equal times in the order they were set.
 * VT2. After every firing the microtasks it started run, a fixed number of rounds, before the next one: two runs of one program
 *      interleave in the same way.
 */
import type { Clock, TimerHandle, Timers } from "@glia-os/abi/ports";

/** Wall time when a virtual clock starts: 2026-01-01T00:00:00Z, in milliseconds. */
export const VIRTUAL_WALL_START_MS = 1_767_225_600_000;
const MICROTASK_ROUNDS = 40;

interface Timer {
  readonly atMs: number;
  readonly order: number;
  fire: (() => void) | undefined;
}

/** One time line. */
export class VirtualTime implements Clock, Timers {
  readonly #heap: Timer[] = [];
  #nowMs = 0;
  #order = 0;

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return VIRTUAL_WALL_START_MS + this.#nowMs;
  }

  schedule(delayMs: number, fire: () => void): TimerHandle {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#push(timer);
    return {
      cancel: () => {
        timer.fire = undefined;
      },
    };
  }

  /** Run everything due until `durationMs` from now. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await drainMicrotasks();
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0])
      await this.#step();
    this.#nowMs = endMs;
  }

  /** Run until `done` or until `limitMs` have passed; whether it was done. */
  async advanceUntil(done: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + limitMs;
    await drainMicrotasks();
    while (!done()) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > endMs) {
        this.#nowMs = endMs;
        return false;
      }
      await this.#step();
    }
    return true;
  }

  /** Run until a promise settles, at most `limitMs`; then it is returned, settled or not. */
  async settle<Result>(promise: Promise<Result>, limitMs = 120_000): Promise<Result> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.advanceUntil(() => settled, limitMs);
    return promise;
  }

  async #step(): Promise<void> {
    const timer = this.#pop();
    if (timer?.fire === undefined) return;
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    const { fire } = timer;
    timer.fire = undefined;
    fire();
    await drainMicrotasks();
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(timer, heap[parent] as Timer)) break;
      heap[at] = heap[parent] as Timer;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (!before(heap[child] as Timer, last)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

async function drainMicrotasks(): Promise<void> {
  for (let round = 0; round < MICROTASK_ROUNDS; round++) await undefined;
}
