/**
 * The kernel's progress in shared memory, for threads that watch it.
 *
 * Written at every switch while a watchdog is on: a count, whether a task runs, and its id; its path and name only when the place of its id in
 * a small table holds another task. So a switch costs a few stores, and a thread can name the task even while it runs without end.
 */

/** Words. */
export const SWITCHES = 0;
export const BUSY = 1;
export const STOP = 2;
const WORDS = 4;
/** Tasks whose names are kept; a power of two. */
const NAMES = 1024;
/** Bytes of a path and name, cut. */
const NAME_BYTES = 120;
const NAMES_AT = 4 * WORDS + 8 + 8 * NAMES;

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** One thread's view. */
export class Progress {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly #current: Float64Array;
  readonly #ids: Float64Array;
  readonly #names: Uint8Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(NAMES_AT + NAMES * (1 + NAME_BYTES))) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer, 0, WORDS);
    this.#current = new Float64Array(buffer, 4 * WORDS, 1);
    this.#ids = new Float64Array(buffer, 4 * WORDS + 8, NAMES);
    this.#names = new Uint8Array(buffer, NAMES_AT);
  }

  /** A task begins to run. `name` is asked only when it is not known. */
  begins(task: number, name: () => string): void {
    const at = task % NAMES;
    if (this.#ids[at] !== task) {
      const bytes = utf8.encode(name()).subarray(0, NAME_BYTES);
      this.#names[at * (1 + NAME_BYTES)] = bytes.length;
      this.#names.set(bytes, at * (1 + NAME_BYTES) + 1);
      this.#ids[at] = task;
    }
    this.#current[0] = task;
    Atomics.add(this.words, SWITCHES, 1);
    Atomics.store(this.words, BUSY, 1);
  }

  /** The running task gave the processor back. */
  ends(): void {
    Atomics.store(this.words, BUSY, 0);
  }

  /** The task that runs, as seen from any thread. */
  running(): { readonly task: number; readonly name: string } {
    const task = this.#current[0]!;
    const at = task % NAMES;
    const from = at * (1 + NAME_BYTES) + 1;
    const bytes = this.#names.slice(from, from + this.#names[from - 1]!);
    return { task, name: this.#ids[at] === task ? fromUtf8.decode(bytes) : "" };
  }
}
