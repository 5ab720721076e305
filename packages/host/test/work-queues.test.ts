import { afterEach, expect, test, vi } from "vitest";
import { GlobalQueue } from "../src/engines/global-queue.ts";
import { CLAIMED, FREE, JobMemory, LIFO, QUEUED, SEARCHING, STATE } from "../src/engines/job-memory.ts";
import { WorkFinder } from "../src/engines/work-finder.ts";
import { hidden, mend, pushLocal } from "../src/engines/work-queues.ts";

afterEach(() => void vi.restoreAllMocks());

const SLOTS = 64;
const WORKERS = 3;
const POINTS = 10_000;

class Killed extends Error {}

/** Let the thread that runs die at its n-th atomic access from now, before or after the access takes effect. */
function killAt(n: number, after: boolean): void {
  let left = n;
  for (const name of ["load", "store", "compareExchange", "exchange", "and", "or", "add"] as const) {
    const real = Atomics[name] as (...args: unknown[]) => unknown;
    vi.spyOn(Atomics, name).mockImplementation(((...args: unknown[]) => {
      left--;
      if (left === 0 && !after) throw new Killed();
      const result = real.apply(Atomics, args);
      if (left === 0) throw new Killed();
      return result;
    }) as never);
  }
}

function randomFrom(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.floor(((state >>> 8) / 2 ** 24) * n);
  };
}

test(`Q1, Q2: a worker that dies at any of ${POINTS} points between or after its accesses loses no job and breaks no queue`, () => {
  const seed = Number(process.env["GLIA_SEED"] ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}: repeat with GLIA_SEED=${seed}`);
  const draw = randomFrom(seed);
  let deaths = 0;
  for (let point = 0; point < POINTS; point++) {
    const memory = JobMemory.create(SLOTS, 64, WORKERS);
    const global = new GlobalQueue(memory);
    const { words } = memory;
    const jobs = 1 + draw(SLOTS - 1);
    for (let slot = 0; slot < jobs; slot++) {
      words[memory.slot(slot) + STATE] = QUEUED;
      const where = draw(WORKERS + 1);
      if (where === WORKERS || !pushLocal(memory, where, slot)) global.push(slot);
    }
    global.publish();
    const victim = draw(WORKERS);
    const done = new Set<number>();
    const finders = Array.from({ length: WORKERS }, (_, worker) => new WorkFinder(memory, worker, draw));
    const finish = (slot: number): void => {
      expect(done.has(slot)).toBe(false);
      done.add(slot);
      words[memory.slot(slot) + STATE] = FREE;
    };
    killAt(1 + draw(60), draw(2) === 1);
    try {
      for (let turn = 0; turn < 8; turn++) {
        const slot = finders[victim]!.next();
        if (slot < 0) break;
        // Some jobs are handed on again instead of being done.
        if (draw(3) > 0) finish(slot);
        else {
          words[memory.slot(slot) + STATE] = QUEUED;
          finders[victim]!.handOn(slot);
        }
      }
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      deaths++;
    }
    vi.restoreAllMocks();
    words[SEARCHING] = 0;
    mend(memory, victim);
    for (let slot = 0; slot < jobs; slot++)
      if (words[memory.slot(slot) + STATE] === (CLAIMED | (victim << 3)))
        words[memory.slot(slot) + STATE] = QUEUED;
    for (const slot of hidden(memory)) global.push(slot);
    global.publish();
    // The others and the successor finish everything, each job once.
    const successor = new WorkFinder(memory, victim, draw);
    for (const [worker, finder] of finders.entries())
      for (let slot = (worker === victim ? successor : finder).next(); slot >= 0; ) {
        finish(slot);
        slot = (worker === victim ? successor : finder).next();
      }
    expect(done.size).toBe(jobs);
    expect(words[memory.worker(victim) + LIFO]).toBe(-1);
  }
  expect(deaths).toBeGreaterThan(POINTS / 4);
});
