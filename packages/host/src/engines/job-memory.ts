/**
 * The memory a threaded engine and its workers share: job slots, their claim words, and the queues of slot numbers.
 *
 * M1. The claim word of a slot alone says what becomes of the job in it. A queue entry is a hint: whoever takes one must win the claim
 *     (one compare-and-exchange) before it touches the job. So entries may be doubled or stale without harm.
 * M2. What a slot holds is written before its claim word, and read after it.
 */

/** Values of a claim word, in its low 3 bits; the rest is the worker that owns the slot. */
export const FREE = 0;
/** Waits for a worker. */
export const QUEUED = 1;
/** Runs on the worker. */
export const CLAIMED = 2;
/** The result lies in the slot and the main thread has not taken it. */
export const DONE = 3;
/** Empty, lent to a worker for a job that is handed on. */
export const LENT = 4;

/** Words of a line of the processor's cache: words that different threads write lie in different lines, or each write would stall the others. */
const LINE = 16;

/** Longest local queue (the figure of Go and tokio). */
export const LOCAL_SLOTS = 256;
/** Slots lent to a worker at a time, for jobs it hands on. */
export const LENT_SLOTS = 64;
/** Blocks for jobs that do not fit their slots: so many of the main thread, and of each worker for results and for jobs it hands on. */
export const JOB_BLOCKS = 512;
export const WORKER_BLOCKS: number = 8 * LINE;
/** 16 KiB and something for names. Memory that was never written takes none of the machine's. */
export const BLOCK_BYTES: number = 20 * 1024;
/** Names of job functions one engine can know. */
export const ENTRIES = 1024;
const ENTRY_BYTES = 128;

/** Words of the control block. */
export const DOORBELL = 0;
export const LISTENING = 1;
export const SEARCHING: number = LINE;
export const SLEEPING: number = LINE + 1;
/** First index of the global queue not taken, and first not written. */
export const GLOBAL_HEAD: number = 2 * LINE;
export const GLOBAL_TAIL: number = 3 * LINE;
export const ENTRY_COUNT: number = 4 * LINE;
/** 1 while workers look for more before they sleep. */
export const LOOKING: number = 4 * LINE + 1;
const CONTROL_WORDS = 5 * LINE;

/** Words of a slot: one line. */
export const STATE = 0;
export const ENTRY = 1;
export const NAMES_LENGTH = 2;
export const FORM = 3;
export const LENGTH = 4;
/** Flags: see below. */
export const FLAGS = 5;
/** The result, in bytes of its own: the job must stay whole until it is done, or it could not be started again. */
export const RESULT_FORM = 6;
export const RESULT_LENGTH = 7;
export const RESULT_FLAGS = 8;
/** The block of the job, and that of its result, when the flags say so. */
export const BLOCK = 9;
export const RESULT_BLOCK = 14;
/** Two words each: a payload and a result that are numbers. */
export const NUMBER = 10;
export const RESULT_NUMBER = 12;
const SLOT_WORDS = LINE;

/** The bytes fit neither the slot nor a block and lie in memory of their own. */
export const LARGE = 1;
/** The result is an error record. */
export const FAILED = 2;
/** Another job handed this one on: nobody waits for it by promise. */
export const HANDED_ON = 4;
/** The bytes lie in a block. */
export const BLOCKED = 8;

/** Words of a worker: its deque, its LIFO slot, the ring of slots the main thread shall look at and the ring of slots it was lent. */
export const TOP = 0;
export const BOTTOM: number = LINE;
export const LIFO: number = LINE + 1;
/** The main thread writes these. */
export const DONE_HEAD: number = 2 * LINE;
export const LENT_TAIL: number = 2 * LINE + 1;
/** What the worker waits for from the main thread. */
export const MAIL: number = 2 * LINE + 2;
/** The worker writes these. */
export const DONE_TAIL: number = 3 * LINE;
export const LENT_HEAD: number = 3 * LINE + 1;
/** A word for each of the worker's blocks: 1 while it is used. The worker takes them, the main thread gives them back. */
export const BLOCKS_USED: number = 4 * LINE;
const WORKER_WORDS = 12 * LINE;

/** What is needed to see the memory from another thread. */
export interface JobMemoryShape {
  readonly buffer: SharedArrayBuffer;
  readonly slots: number;
  readonly slotBytes: number;
  readonly workers: number;
}

/** Words of one worker: twice as many entries as slots in the last ring, because a death can double an entry once (M1). */
function workerWords(slots: number): number {
  return WORKER_WORDS + LOCAL_SLOTS + LENT_SLOTS + 2 * slots;
}

/** One thread's view. */
export class JobMemory {
  readonly shape: JobMemoryShape;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly numbers: Float64Array;
  readonly slots: number;
  readonly slotBytes: number;
  readonly workers: number;
  readonly #ring: number;
  readonly #slotAt: number;
  readonly #workerAt: number;
  readonly #workerWords: number;
  readonly #bytesAt: number;
  readonly #entriesAt: number;
  readonly #blocksAt: number;

  constructor(shape: JobMemoryShape) {
    const { slots, slotBytes, workers, buffer } = shape;
    this.shape = shape;
    this.slots = slots;
    this.slotBytes = slotBytes;
    this.workers = workers;
    this.#ring = 2 * slots;
    this.#slotAt = CONTROL_WORDS + this.#ring;
    this.#workerAt = this.#slotAt + slots * SLOT_WORDS;
    this.#workerWords = workerWords(slots);
    const wordCount = this.#workerAt + workers * this.#workerWords;
    this.#entriesAt = 4 * wordCount;
    this.#bytesAt = this.#entriesAt + ENTRIES * (1 + ENTRY_BYTES);
    this.#blocksAt = this.#bytesAt + 2 * slots * slotBytes;
    this.words = new Int32Array(buffer, 0, wordCount);
    this.bytes = new Uint8Array(buffer);
    this.numbers = new Float64Array(buffer, 0, wordCount >> 1);
  }

  /** Fresh memory: `slots` is a power of two. */
  static create(slots: number, slotBytes: number, workers: number): JobMemory {
    const words = CONTROL_WORDS + 2 * slots + slots * SLOT_WORDS + workers * workerWords(slots);
    const blocks = (JOB_BLOCKS + workers * WORKER_BLOCKS) * BLOCK_BYTES;
    const inSlots = ENTRIES * (1 + ENTRY_BYTES) + 2 * slots * slotBytes;
    const buffer = new SharedArrayBuffer(4 * words + inSlots + blocks);
    const memory = new JobMemory({ buffer, slots, slotBytes, workers });
    for (let worker = 0; worker < workers; worker++) memory.words[memory.worker(worker) + LIFO] = -1;
    return memory;
  }

  /** Where the words of a slot begin. */
  slot(index: number): number {
    return this.#slotAt + index * SLOT_WORDS;
  }

  /** Where the words of a worker begin. */
  worker(index: number): number {
    return this.#workerAt + index * this.#workerWords;
  }

  /** The word of an entry of a worker's deque. */
  dequeEntry(worker: number, index: number): number {
    return this.worker(worker) + WORKER_WORDS + (index & (LOCAL_SLOTS - 1));
  }

  /** The word of an entry of the ring of slots lent to a worker. */
  lentEntry(worker: number, index: number): number {
    return this.worker(worker) + WORKER_WORDS + LOCAL_SLOTS + (index & (LENT_SLOTS - 1));
  }

  /** The word of an entry of a worker's ring of slots the main thread shall look at. */
  doneEntry(worker: number, index: number): number {
    return this.worker(worker) + WORKER_WORDS + LOCAL_SLOTS + LENT_SLOTS + (index & (this.#ring - 1));
  }

  /** The word of an entry of the global queue. */
  globalEntry(index: number): number {
    return CONTROL_WORDS + (index & (this.#ring - 1));
  }

  /** Entries the global queue holds. */
  get globalCapacity(): number {
    return this.#ring;
  }

  /** Where the bytes of the job in a slot begin: its names, then its payload. */
  jobAt(index: number): number {
    return this.#bytesAt + 2 * index * this.slotBytes;
  }

  /** Where the bytes of its result begin. */
  resultAt(index: number): number {
    return this.#bytesAt + (2 * index + 1) * this.slotBytes;
  }

  /** Where a block begins. */
  blockAt(index: number): number {
    return this.#blocksAt + index * BLOCK_BYTES;
  }

  /** The number of a worker's block. */
  workerBlock(worker: number, index: number): number {
    return JOB_BLOCKS + worker * WORKER_BLOCKS + index;
  }

  /** The word that says whether a block of a worker is used. */
  blockUsed(block: number): number {
    const own = block - JOB_BLOCKS;
    return this.worker(Math.floor(own / WORKER_BLOCKS)) + BLOCKS_USED + (own % WORKER_BLOCKS);
  }

  /** Where the bytes of the job in a slot really begin, unless they lie in memory of their own. */
  jobBytesAt(slot: number): number {
    const base = this.slot(slot);
    return (this.words[base + FLAGS]! & BLOCKED) === 0
      ? this.jobAt(slot)
      : this.blockAt(this.words[base + BLOCK]!);
  }

  /** Publish the name of a job function; one thread writes. */
  writeEntry(number: number, name: string): void {
    const at = this.#entriesAt + number * (1 + ENTRY_BYTES);
    this.bytes[at] = name.length;
    for (let i = 0; i < name.length; i++) this.bytes[at + 1 + i] = name.charCodeAt(i);
    Atomics.store(this.words, ENTRY_COUNT, number + 1);
  }

  /** The name of a job function. */
  readEntry(number: number): string {
    const at = this.#entriesAt + number * (1 + ENTRY_BYTES);
    return String.fromCharCode(...this.bytes.subarray(at + 1, at + 1 + this.bytes[at]!));
  }
}
