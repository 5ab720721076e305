/**
 * One kernel call cut into parts that threads take one by one, through a page of shared memory.
 *
 * J1. The word CLAIM holds the job's number, how many parts there are and how many were taken. A thread takes a part by compare and
 *     swap, and reads the part's arguments after that. They were written before CLAIM was, and do not change until every part is done.
 * J2. DONE counts parts that are done; the thread that asked waits for all of them, so there is one job at a time.
 * J3. Threads without work wait on CLAIM, after a short while of looking at it.
 *
 * | word (i32) | meaning |
 * |---|---|
 * | 0 | CLAIM: number of the job << 16, parts << 8, parts taken; parts 0 before the first job |
 * | 1 | DONE |
 * | 2 | kernel, an index into the sorted names of exports |
 * | 3 | STOP: not 0 when threads are to end |
 *
 * From byte 64: PARTS_MOST records of ARGUMENTS float64 each.
 */

/** Most parts of a job. */
export const PARTS_MOST = 32;
/** Numbers that a kernel takes at most. */
export const ARGUMENTS = 16;
/** Bytes of a job's page. */
export const JOB_BYTES: number = 64 + PARTS_MOST * ARGUMENTS * 8;

const CLAIM = 0;
const DONE = 1;
const KERNEL = 2;
const STOP = 3;
/** How often a thread looks before it sleeps: some tens of microseconds. */
const LOOKS = 20_000;

/** Kernels in the order of their names, which is the same in every thread. */
export function kernelsByName(exports: object): ((...numbers: number[]) => void)[] {
  return kernelNames(exports).map(
    (name) => (exports as Record<string, (...numbers: number[]) => void>)[name]!,
  );
}

/** Names of the exports that can be called. */
export function kernelNames(exports: object): string[] {
  return Object.keys(exports)
    .filter((name) => typeof (exports as Record<string, unknown>)[name] === "function")
    .sort();
}

/** The page of a job, seen by one thread. */
export class Job {
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #kernels: readonly ((...numbers: number[]) => void)[];
  #number = 0;

  /** @param at byte offset of the page, a multiple of 64 */
  constructor(memory: ArrayBufferLike, at: number, kernels: readonly ((...numbers: number[]) => void)[]) {
    this.#words = new Int32Array(memory, at, 16);
    this.#numbers = new Float64Array(memory, at + 64, PARTS_MOST * ARGUMENTS);
    this.#kernels = kernels;
  }

  /** Write the arguments of a part of the next job, 16 at most. */
  write(part: number, numbers: readonly number[]): void {
    const at = part * ARGUMENTS;
    for (let i = 0; i < numbers.length; i++) this.#numbers[at + i] = numbers[i]!;
  }

  /** Have the parts written done by all threads and this one. */
  run(kernel: number, parts: number): void {
    const words = this.#words;
    words[KERNEL] = kernel;
    Atomics.store(words, DONE, 0);
    this.#number = (this.#number + 1) & 0x7fff;
    Atomics.store(words, CLAIM, (this.#number << 16) | (parts << 8));
    Atomics.notify(words, CLAIM);
    this.take();
    for (let looks = 0; ; looks++) {
      const done = Atomics.load(words, DONE);
      if (done === parts) return;
      if (looks > LOOKS) Atomics.wait(words, DONE, done);
    }
  }

  /** Take parts until none is left. */
  take(): void {
    const words = this.#words;
    for (;;) {
      const claim = Atomics.load(words, CLAIM);
      const taken = claim & 0xff;
      const parts = (claim >> 8) & 0xff;
      if (taken >= parts) return;
      if (Atomics.compareExchange(words, CLAIM, claim, claim + 1) !== claim) continue;
      const at = taken * ARGUMENTS;
      this.#kernels[words[KERNEL]!]!(...this.#numbers.subarray(at, at + ARGUMENTS));
      if (Atomics.add(words, DONE, 1) + 1 === parts) Atomics.notify(words, DONE);
    }
  }

  /** Serve jobs until told to stop. */
  serve(): void {
    const words = this.#words;
    let looks = 0;
    while (Atomics.load(words, STOP) === 0) {
      const claim = Atomics.load(words, CLAIM);
      if ((claim & 0xff) < ((claim >> 8) & 0xff)) {
        this.take();
        looks = 0;
      } else if (looks++ > LOOKS) Atomics.wait(words, CLAIM, claim);
    }
  }

  /** Tell the threads to end. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
    Atomics.store(this.#words, CLAIM, 0);
    Atomics.notify(this.#words, CLAIM);
  }
}
