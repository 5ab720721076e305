/**
 * Where workers find jobs: a deque per worker (Chase and Lev, SPAA 2005, in the form of Le et al., PPoPP 2013, with every access
 * sequentially consistent), a LIFO slot per worker, and a global queue that the main thread alone fills (`global-queue.ts`).
 *
 * Q1. Every operation takes effect by one atomic write. A worker that dies before it changed nothing; one that dies after may hide an
 *     entry that nobody else sees. The claim word of that job still says QUEUED (`job-memory.ts` M1), so `hidden` finds it.
 * Q2. `mend` makes the deque of a dead owner usable for its successor; thieves may work on it meanwhile.
 */
import {
  BOTTOM,
  CLAIMED,
  GLOBAL_HEAD,
  GLOBAL_TAIL,
  type JobMemory,
  LIFO,
  LOCAL_SLOTS,
  QUEUED,
  SEARCHING,
  SLEEPING,
  STATE,
  TOP,
} from "./job-memory.ts";

/** There was no entry. */
export const NONE = -1;
/** The entry was there and somebody else took it. */
export const LOST = -2;
/** Most entries moved at a time from the global queue or a victim. */
export const BATCH = 32;

/** Add an entry to the worker's own deque. Returns false when it is full. Owner only. */
export function pushLocal(memory: JobMemory, worker: number, entry: number): boolean {
  const { words } = memory;
  const base = memory.worker(worker);
  const bottom = Atomics.load(words, base + BOTTOM);
  if (((bottom - Atomics.load(words, base + TOP)) | 0) >= LOCAL_SLOTS) return false;
  Atomics.store(words, memory.dequeEntry(worker, bottom), entry);
  Atomics.store(words, base + BOTTOM, (bottom + 1) | 0);
  return true;
}

/** Add entries to the worker's own deque, which has room for them. Owner only. */
export function pushMany(memory: JobMemory, worker: number, entries: Int32Array): void {
  const { words } = memory;
  const base = memory.worker(worker);
  const bottom = Atomics.load(words, base + BOTTOM);
  for (const [i, entry] of entries.entries())
    Atomics.store(words, memory.dequeEntry(worker, bottom + i), entry);
  Atomics.store(words, base + BOTTOM, (bottom + entries.length) | 0);
}

/** Take the newest entry of the worker's own deque. Owner only. */
export function popLocal(memory: JobMemory, worker: number): number {
  const { words } = memory;
  const base = memory.worker(worker);
  const bottom = (Atomics.load(words, base + BOTTOM) - 1) | 0;
  // Nobody else makes it longer: empty now is empty.
  if (((bottom - Atomics.load(words, base + TOP)) | 0) < 0) return NONE;
  Atomics.store(words, base + BOTTOM, bottom);
  const top = Atomics.load(words, base + TOP);
  const size = (bottom - top) | 0;
  if (size < 0) {
    Atomics.store(words, base + BOTTOM, (bottom + 1) | 0);
    return NONE;
  }
  const entry = Atomics.load(words, memory.dequeEntry(worker, bottom));
  if (size > 0) return entry;
  const won = Atomics.compareExchange(words, base + TOP, top, (top + 1) | 0) === top;
  Atomics.store(words, base + BOTTOM, (bottom + 1) | 0);
  return won ? entry : NONE;
}

/** Take the oldest entry of a deque; any thread. */
export function steal(memory: JobMemory, victim: number): number {
  const { words } = memory;
  const base = memory.worker(victim);
  const top = Atomics.load(words, base + TOP);
  if (((Atomics.load(words, base + BOTTOM) - top) | 0) <= 0) return NONE;
  const entry = Atomics.load(words, memory.dequeEntry(victim, top));
  return Atomics.compareExchange(words, base + TOP, top, (top + 1) | 0) === top ? entry : LOST;
}

/** Entries of a deque. */
export function localSize(memory: JobMemory, worker: number): number {
  const base = memory.worker(worker);
  const bottom = Atomics.load(memory.words, base + BOTTOM);
  return Math.max(0, (bottom - Atomics.load(memory.words, base + TOP)) | 0);
}

/** Make a dead owner's deque whole (Q2): a pop that was cut off may have left its end before its beginning. */
export function mend(memory: JobMemory, worker: number): void {
  const base = memory.worker(worker);
  const top = Atomics.load(memory.words, base + TOP);
  if (((Atomics.load(memory.words, base + BOTTOM) - top) | 0) < 0)
    Atomics.store(memory.words, base + BOTTOM, top);
}

/** Entries of the global queue. */
export function globalSize(memory: JobMemory): number {
  const tail = Atomics.load(memory.words, GLOBAL_TAIL);
  return Math.max(0, (tail - Atomics.load(memory.words, GLOBAL_HEAD)) | 0);
}

/**
 * Take the oldest `most` entries of the global queue, or as many as there are, into `into`; gives how many. One write takes all of them (Q1);
 * they were read before it, and the main thread writes over entries only after it.
 */
export function takeGlobal(memory: JobMemory, most: number, into: Int32Array): number {
  const { words } = memory;
  for (;;) {
    const head = Atomics.load(words, GLOBAL_HEAD);
    const count = Math.min(most, (Atomics.load(words, GLOBAL_TAIL) - head) | 0);
    if (count <= 0) return 0;
    for (let i = 0; i < count; i++) into[i] = Atomics.load(words, memory.globalEntry(head + i));
    if (Atomics.compareExchange(words, GLOBAL_HEAD, head, (head + count) | 0) === head) return count;
  }
}

/** Take the entry of a worker's LIFO slot; any thread. */
export function takeNewest(memory: JobMemory, worker: number): number {
  const at = memory.worker(worker) + LIFO;
  if (Atomics.load(memory.words, at) === NONE) return NONE;
  return Atomics.exchange(memory.words, at, NONE);
}

/** Whether any queue has an entry. */
export function anyWork(memory: JobMemory): boolean {
  if (globalSize(memory) > 0) return true;
  for (let worker = 0; worker < memory.workers; worker++) {
    if (localSize(memory, worker) > 0) return true;
    if (Atomics.load(memory.words, memory.worker(worker) + LIFO) !== NONE) return true;
  }
  return false;
}

/** Win a job that waits. */
export function claim(memory: JobMemory, slot: number, worker: number): boolean {
  const at = memory.slot(slot) + STATE;
  return Atomics.compareExchange(memory.words, at, QUEUED, CLAIMED | (worker << 3)) === QUEUED;
}

/** Jobs that wait and stand in no queue (Q1). Main thread, after the death of a worker; entries in the hands of a live thief count too. */
export function hidden(memory: JobMemory): readonly number[] {
  const seen = new Set<number>();
  const { words } = memory;
  const tail = Atomics.load(words, GLOBAL_TAIL);
  for (let i = Atomics.load(words, GLOBAL_HEAD); i !== tail; i = (i + 1) | 0)
    seen.add(Atomics.load(words, memory.globalEntry(i)));
  for (let worker = 0; worker < memory.workers; worker++) {
    const base = memory.worker(worker);
    seen.add(Atomics.load(words, base + LIFO));
    const bottom = Atomics.load(words, base + BOTTOM);
    const top = Atomics.load(words, base + TOP);
    for (let i = top; ((bottom - i) | 0) > 0; i = (i + 1) | 0)
      seen.add(Atomics.load(words, memory.dequeEntry(worker, i)));
  }
  const found: number[] = [];
  for (let slot = 0; slot < memory.slots; slot++)
    if (Atomics.load(words, memory.slot(slot) + STATE) === QUEUED && !seen.has(slot)) found.push(slot);
  return found;
}

/** Pick one sleeping worker, which is then somebody's to wake; -1 when none sleeps or others search already. */
export function pickSleeper(memory: JobMemory): number {
  const { words } = memory;
  if (Atomics.load(words, SEARCHING) !== 0) return NONE;
  for (;;) {
    const sleeping = Atomics.load(words, SLEEPING);
    if (sleeping === 0) return NONE;
    const lowest = sleeping & -sleeping;
    if (Atomics.compareExchange(words, SLEEPING, sleeping, sleeping & ~lowest) === sleeping)
      return 31 - Math.clz32(lowest);
  }
}
