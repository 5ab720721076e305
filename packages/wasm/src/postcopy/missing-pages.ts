/**
 * Which pages of a guest are missing, kept by the thread that has the connection and read by the thread of the guest.
 *
 * MP1. Only this side makes a page present, after it was written (arrival-state.ts, AS1); a flag of the guest's module is cleared when
 *      its page and the next one are there (residence.ts, RE2).
 * MP2. A page is asked of the source at most once.
 */
import type { MessagePort } from "node:worker_threads";
import { CONTROL_BYTES, type FromGuest, OUTCOME, WORD } from "./arrival-state.ts";

/** The missing pages of one guest. */
export class MissingPages {
  readonly absent: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly #absent: Uint8Array;
  readonly #control: Int32Array;
  readonly #port: MessagePort;
  readonly #ask: (page: number) => void;
  readonly #asked = new Set<number>();
  #flags: Uint8Array | undefined;
  #left = 0;

  /** `missing` tells of each of `pages` pages whether it is missing; `ask` asks the source for one. */
  constructor(
    pages: number,
    missing: (page: number) => boolean,
    port: MessagePort,
    ask: (page: number) => void,
  ) {
    this.absent = new SharedArrayBuffer(pages);
    this.control = new SharedArrayBuffer(CONTROL_BYTES);
    this.#absent = new Uint8Array(this.absent);
    this.#control = new Int32Array(this.control);
    this.#ask = ask;
    this.#port = port;
    for (let page = 0; page < pages; page++) {
      if (!missing(page)) continue;
      this.#absent[page] = 1;
      this.#left += 1;
    }
    this.#tell(this.#left === 0 ? OUTCOME.complete : OUTCOME.open);
    port.on("message", (message: FromGuest) => this.#hear(message));
  }

  /** How many are missing. */
  get left(): number {
    return this.#left;
  }

  /** Whether a page is missing. */
  has(page: number): boolean {
    return this.#absent[page] === 1;
  }

  /** These pages were written. */
  came(pages: readonly number[]): void {
    for (const page of pages) {
      Atomics.store(this.#absent, page, 0);
      this.#asked.delete(page);
      this.#present(page);
      if (page > 0) this.#present(page - 1);
    }
    this.#left -= pages.length;
    this.#tell(this.#left === 0 ? OUTCOME.complete : OUTCOME.open);
  }

  /** Nobody will ask for pages any more. */
  settle(): void {
    this.#port.close();
  }

  /** No more pages will come: whoever waits for one, or will, is told so. */
  lose(): void {
    if (this.#left > 0) this.#tell(OUTCOME.lost);
  }

  #tell(outcome: number): void {
    Atomics.store(this.#control, WORD.left, this.#left);
    Atomics.store(this.#control, WORD.outcome, outcome);
    Atomics.add(this.#control, WORD.event, 1);
    Atomics.notify(this.#control, WORD.event);
  }

  #present(page: number): void {
    if (this.#flags !== undefined && !this.has(page) && !this.has(page + 1))
      Atomics.store(this.#flags, page, 0);
  }

  #hear(message: FromGuest): void {
    if ("flags" in message) {
      this.#flags = new Uint8Array(message.flags.buffer);
      for (let page = 0; page < this.#absent.length; page++) this.#present(page);
    } else if (this.has(message.page) && !this.#asked.has(message.page)) {
      this.#asked.add(message.page);
      this.#ask(message.page);
    }
  }
}
