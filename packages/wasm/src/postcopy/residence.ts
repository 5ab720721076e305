/**
 * The guest's side of a post-copy: looks whether pages are there and waits for those that are not, in the thread that runs the guest.
 *
 * RE1. A wait ends when the page has come, when the other thread gives the guest up, or when nothing at all comes for as long as one
 *      step of the guest may take; in the last two cases the guest is lost (PostCopyLostError), and no more of its code runs.
 * RE2. The flag of a page in the guest's module is set while that page or the next is missing; only the other thread clears flags.
 * RE3. The thread is held while it waits, with everybody else in it: a guest that arrives so wants a thread of its own.
 */
import type { MessagePort } from "node:worker_threads";
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";
import { trap } from "../engine/trap.ts";
import { PostCopyLostError } from "../errors.ts";
import { ABSENT_EXPORT, PRESENCE_EXPORT } from "../layout.ts";
import { connectCalls } from "../presence/callbacks.ts";
import type { FunctionTable, LinearMemory, Namespace } from "../web-assembly.ts";
import { type FromGuest, OUTCOME, type PostCopyHandover, WORD } from "./arrival-state.ts";

const PAGE_SHIFT = Math.log2(SNAPSHOT_PAGE_BYTES);

/** The pages of one guest. */
export class Residence {
  readonly #absent: Uint8Array;
  readonly #control: Int32Array;
  readonly #port: MessagePort;
  readonly #waitMs: number;

  /** A wait ends after `waitMs` without any page. */
  constructor({ absent, control, port }: PostCopyHandover, waitMs: number) {
    this.#absent = new Uint8Array(absent);
    this.#control = new Int32Array(control);
    this.#port = port;
    this.#waitMs = waitMs;
  }

  /** Whether every page is there. */
  get complete(): boolean {
    return Atomics.load(this.#control, WORD.outcome) === OUTCOME.complete;
  }

  /** Pages that are missing. */
  get left(): number {
    return Atomics.load(this.#control, WORD.left);
  }

  /** Connect a new instance of the module with checks. What goes wrong in its calls goes to `stop`, which does not come back. */
  attach(exports: Namespace, stop: (error: unknown) => never): void {
    const guarded = (wait: () => void): void => {
      try {
        wait();
      } catch (error) {
        stop(error);
      }
    };
    connectCalls(exports[PRESENCE_EXPORT] as FunctionTable, {
      one: (address) => guarded(() => this.#pages(address >>> PAGE_SHIFT, (address >>> PAGE_SHIFT) + 1)),
      range: (start, length) => guarded(() => this.require(start >>> 0, length >>> 0)),
    });
    const memory = exports[ABSENT_EXPORT] as LinearMemory;
    const flags = new Uint8Array(memory.buffer);
    for (let page = this.#absent.indexOf(1); page >= 0; page = this.#absent.indexOf(1, page + 1)) {
      flags[page] = 1;
      if (page > 0) flags[page - 1] = 1;
    }
    this.#tell({ flags: memory });
  }

  /** Come back when the pages of a range are there. @throws PostCopyLostError */
  require(pointer: number, length: number): void {
    if (length > 0)
      this.#pages(pointer >>> PAGE_SHIFT, Math.floor((pointer + length - 1) / SNAPSHOT_PAGE_BYTES));
  }

  /**
   * As {@link require}, for a host call. When the guest is lost it is stopped: by a trap while its code runs, else by the error itself.
   */
  hold(site: { stopped(error: unknown): void }, running: boolean, pointer: number, length: number): void {
    try {
      this.require(pointer, length);
    } catch (error) {
      site.stopped(error);
      if (!running) throw error;
      trap();
    }
  }

  /** The connection to the other thread is over. */
  close(): void {
    this.#port.close();
  }

  /** Looked at one by one as atomics: what is read of a page after its byte was found clear is what came (AS1). */
  #pages(first: number, last: number): void {
    const end = Math.min(last + 1, this.#absent.length);
    for (let page = first; page < end; page++) if (Atomics.load(this.#absent, page) !== 0) this.#wait(page);
  }

  #wait(page: number): void {
    let asked = false;
    for (;;) {
      const event = Atomics.load(this.#control, WORD.event);
      if (Atomics.load(this.#absent, page) === 0) return;
      if (Atomics.load(this.#control, WORD.outcome) === OUTCOME.lost)
        throw new PostCopyLostError(this.left, "the rest of its pages was given up");
      if (!asked) this.#tell({ page });
      asked = true;
      if (Atomics.wait(this.#control, WORD.event, event, this.#waitMs) === "timed-out")
        throw new PostCopyLostError(this.left, `no page came in ${this.#waitMs} ms`);
    }
  }

  #tell(message: FromGuest): void {
    this.#port.postMessage(message);
  }
}
