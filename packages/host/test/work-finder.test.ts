import fc from "fast-check";
import { expect, test } from "vitest";
import { GlobalQueue } from "../src/engines/global-queue.ts";
import {
  CLAIMED,
  DONE_HEAD,
  DONE_TAIL,
  FREE,
  JobMemory,
  LOCAL_SLOTS,
  QUEUED,
  SEARCHING,
  STATE,
} from "../src/engines/job-memory.ts";
import { WorkFinder } from "../src/engines/work-finder.ts";
import { localSize, pushLocal } from "../src/engines/work-queues.ts";

const seed = Number(process.env["GLIA_SEED"] ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}: repeat with GLIA_SEED=${seed}`);

function wait(memory: JobMemory, slot: number): void {
  memory.words[memory.slot(slot) + STATE] = QUEUED;
}

/** What the main thread takes from the ring of a worker. */
function ringOf(memory: JobMemory, worker: number): number[] {
  const base = memory.worker(worker);
  const { words } = memory;
  const entries: number[] = [];
  for (let i = words[base + DONE_HEAD]!; i !== words[base + DONE_TAIL]; i++)
    entries.push(words[memory.doneEntry(worker, i)]!);
  words[base + DONE_HEAD] = words[base + DONE_TAIL]!;
  return entries;
}

test("R1, R2: what is pushed is taken once each, oldest first, however much exceeds the queue, and only after it is published", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 30 }), fc.boolean(), (sizes, late) => {
      const memory = JobMemory.create(4, 64, 1);
      const global = new GlobalQueue(memory);
      const finder = new WorkFinder(memory, 0, () => 0);
      let next = 0;
      let settled = 0;
      for (const size of sizes) {
        for (let i = 0; i < size; i++) {
          const slot = next++ % 4;
          wait(memory, slot);
          global.push(slot);
        }
        if (!late) global.publish();
        else expect(finder.next()).toBe(-1);
        for (;;) {
          global.publish();
          const slot = finder.next();
          if (slot < 0) break;
          // The same slot stands in the queue more than once: each entry is a hint, and here each is honoured.
          wait(memory, slot);
          settled++;
        }
        expect(global.unpublished).toBe(0);
      }
      expect(settled).toBe(next);
    }),
    { seed, numRuns: 200 },
  );
});

test("LIFO slot, 256 local slots, overflow: jobs a worker hands on are all found, those that exceed its deque by the main thread", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 900 }), (jobs) => {
      const memory = JobMemory.create(1024, 64, 1);
      const finder = new WorkFinder(memory, 0, () => 0);
      for (let slot = 0; slot < jobs; slot++) {
        wait(memory, slot);
        const full = finder.handOn(slot);
        expect(full).toBe(slot > LOCAL_SLOTS && (slot - LOCAL_SLOTS - 1) % (LOCAL_SLOTS / 2) === 0);
        expect(localSize(memory, 0)).toBeLessThanOrEqual(LOCAL_SLOTS);
      }
      const shed = ringOf(memory, 0);
      // The oldest left; the newest is the next to run.
      expect(shed).toEqual(Array.from({ length: shed.length }, (_, i) => i));
      expect(finder.next()).toBe(jobs - 1);
      const found = new Set([jobs - 1]);
      const global = new GlobalQueue(memory);
      for (const slot of shed) global.push(slot);
      global.publish();
      for (let slot = finder.next(); slot >= 0; slot = finder.next()) {
        expect(found.has(slot)).toBe(false);
        found.add(slot);
        memory.words[memory.slot(slot) + STATE] = FREE;
      }
      expect(found.size).toBe(jobs);
    }),
    { seed, numRuns: 60 },
  );
});

test("F1: while half of the workers search, no other one does, and takes nothing from others", () => {
  for (let workers = 2; workers <= 32; workers++) {
    const memory = JobMemory.create(64, 64, workers);
    wait(memory, 0);
    pushLocal(memory, workers - 1, 0);
    const searchers = Array.from({ length: workers - 1 }, (_, i) => new WorkFinder(memory, i, () => 0));
    const most = Math.max(1, Math.floor(workers / 2));
    const began = searchers.filter((finder) => finder.beginSearch());
    expect(began.length).toBe(Math.min(most, searchers.length));
    const other = new WorkFinder(memory, 0, () => 0);
    if (began.length === most) expect(other.next()).toBe(-1);
    for (const finder of began) finder.endSearch();
    expect(memory.words[SEARCHING]).toBe(0);
    expect(other.next()).toBe(0);
    expect(memory.words[memory.slot(0) + STATE]).toBe(CLAIMED);
  }
});

test("F2: a worker whose jobs each hand on another still takes from its deque and from the global queue", () => {
  const memory = JobMemory.create(128, 64, 1);
  const finder = new WorkFinder(memory, 0, () => 0);
  const global = new GlobalQueue(memory);
  const [own, older, shared] = [0, 1, 2];
  for (const slot of [own, older, shared]) wait(memory, slot);
  pushLocal(memory, 0, older);
  global.push(shared);
  global.publish();
  finder.handOn(own);
  const order: number[] = [];
  for (let turn = 0; turn < 61; turn++) {
    const slot = finder.next();
    order.push(slot);
    if (slot !== own) continue;
    wait(memory, own);
    finder.handOn(own);
  }
  expect(order.slice(0, 4)).toEqual([own, own, own, older]);
  expect(order.indexOf(shared)).toBeLessThanOrEqual(60);
});
