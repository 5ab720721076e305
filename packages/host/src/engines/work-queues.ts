/**
 * Where workers find jobs: a deque per worker (Chase and Lev, SPAA 2005, in the form of Le et al., PPoPP 2013, with every access
 * sequentially consistent), a LIFO slot per worker, and a global queue that the main thread alone fills.
 *
 * Q1. Every operation takes effect by one atomic write. A worker that dies before it changed nothing; one that dies after may hide an
 *     entry that nobody else sees. The claim word of that job still says QUEUED (`job-memory.ts` M1), so `hidden` finds it.
 * Q2. `mend` makes the deque of a dead owner usable for its successor; thieves may work on it meanwhile.
 * Q3. At most half of the workers search the queues of others at a time.
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

const NONE = -1;
/** The entry was there and somebody else took it. */
const LOST = -2;
/** Most entries moved at a time from the global queue or a victim. */
const BATCH = 32;
/** Every so many jobs the global queue comes first, so that local work cannot starve it (the figure of Go and tokio). */
const GLOBAL_EVERY = 61;
/** Jobs in a row from the LIFO slot, before the deque gets its turn. */
const LIFO_ROW = 3;

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

/** Take the newest entry of the worker's own deque. Owner only. */
export function popLocal(memory: JobMemory, worker: number): number {
  const { words } = memory;
  const base = memory.worker(worker);
  const bottom = (Atomics.load(words, base + BOTTOM) - 1) | 0;
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

/** Add an entry to the global queue. Returns false when it is full. Main thread only. */
export function pushGlobal(memory: JobMemory, entry: number): boolean {
  const { words } = memory;
  const tail = Atomics.load(words, GLOBAL_TAIL);
  if (((tail - Atomics.load(words, GLOBAL_HEAD)) | 0) >= memory.globalCapacity) return false;
  Atomics.store(words, memory.globalEntry(tail), entry);
  Atomics.store(words, GLOBAL_TAIL, (tail + 1) | 0);
  return true;
}

/** Entries of the global queue. */
export function globalSize(memory: JobMemory): number {
  const tail = Atomics.load(memory.words, GLOBAL_TAIL);
  return Math.max(0, (tail - Atomics.load(memory.words, GLOBAL_HEAD)) | 0);
}

function takeGlobal(memory: JobMemory): number {
  const { words } = memory;
  const head = Atomics.load(words, GLOBAL_HEAD);
  if (((Atomics.load(words, GLOBAL_TAIL) - head) | 0) <= 0) return NONE;
  const entry = Atomics.load(words, memory.globalEntry(head));
  return Atomics.compareExchange(words, GLOBAL_HEAD, head, (head + 1) | 0) === head ? entry : LOST;
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

/** One worker's search for jobs. */
export class WorkFinder {
  readonly #memory: JobMemory;
  readonly #worker: number;
  /** A number in [0, n). */
  readonly #draw: (n: number) => number;
  #tick = 0;
  #row = 0;

  constructor(memory: JobMemory, worker: number, draw: (n: number) => number) {
    this.#memory = memory;
    this.#worker = worker;
    this.#draw = draw;
  }

  /** A job of this worker from now on, or -1. */
  next(): number {
    for (;;) {
      const entry = this.#entry();
      if (entry === NONE) return NONE;
      if (claim(this.#memory, entry, this.#worker)) return entry;
    }
  }

  /** Queue a job that this worker's present job handed on. Returns an older entry when the deque is full and the main thread must take it, else -1. */
  handOn(slot: number): number {
    const at = this.#memory.worker(this.#worker) + LIFO;
    const older = Atomics.exchange(this.#memory.words, at, slot);
    return older === NONE || pushLocal(this.#memory, this.#worker, older) ? NONE : older;
  }

  #entry(): number {
    const memory = this.#memory;
    if (++this.#tick % GLOBAL_EVERY === 0) {
      const entry = takeGlobal(memory);
      if (entry >= 0) return entry;
    }
    if (this.#row < LIFO_ROW) {
      const newest = this.#lifo(this.#worker);
      if (newest !== NONE) {
        this.#row++;
        return newest;
      }
    }
    this.#row = 0;
    const local = popLocal(memory, this.#worker);
    if (local !== NONE) return local;
    const shared = this.#fromGlobal();
    if (shared !== NONE) return shared;
    const last = this.#lifo(this.#worker);
    return last === NONE ? this.#search() : last;
  }

  #lifo(worker: number): number {
    const at = this.#memory.worker(worker) + LIFO;
    if (Atomics.load(this.#memory.words, at) === NONE) return NONE;
    return Atomics.exchange(this.#memory.words, at, NONE);
  }

  /** This worker's share of the global queue: the first is returned, the others go into its deque. */
  #fromGlobal(): number {
    const memory = this.#memory;
    const share = Math.min(BATCH, Math.ceil(globalSize(memory) / memory.workers));
    return this.#move(share, () => takeGlobal(memory));
  }

  #move(share: number, take: () => number): number {
    let first = NONE;
    for (let moved = 0; moved < share; ) {
      const entry = take();
      if (entry === NONE) break;
      if (entry === LOST) continue;
      if (first === NONE) first = entry;
      else pushLocal(this.#memory, this.#worker, entry);
      moved++;
    }
    return first;
  }

  /** Look at the others, from a random one on, if not too many do so already (Q3). */
  #search(): number {
    const { words, workers } = this.#memory;
    const bit = 1 << this.#worker;
    const searching = Atomics.load(words, SEARCHING);
    let others = 0;
    for (let rest = searching; rest !== 0; rest &= rest - 1) others++;
    if (2 * (others + 1) > Math.max(2, workers)) return NONE;
    if (Atomics.compareExchange(words, SEARCHING, searching, searching | bit) !== searching) return NONE;
    try {
      return this.#rob();
    } finally {
      Atomics.and(words, SEARCHING, ~bit);
    }
  }

  #rob(): number {
    const memory = this.#memory;
    const first = this.#draw(memory.workers);
    for (let i = 0; i < memory.workers; i++) {
      const victim = (first + i) % memory.workers;
      if (victim === this.#worker) continue;
      const share = Math.min(BATCH, Math.ceil(localSize(memory, victim) / 2));
      const entry = this.#move(share, () => steal(memory, victim));
      if (entry !== NONE) return entry;
      const newest = this.#lifo(victim);
      if (newest !== NONE) return newest;
    }
    return NONE;
  }
}
