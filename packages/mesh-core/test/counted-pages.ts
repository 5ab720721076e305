/**
 * Ballast that follows an agent which runs already, for the small host of agents of these tests: bytes instead of pages. It asks for more now and then, as
 * a guest does that waits for a page.
 */
import type { Timers } from "@glia-os/abi/ports";
import type { IncomingPages, PagesAnswer } from "../src/index.ts";

const PIECE = 40 * 1024;
const WANTS_AFTER_MS = 0.2;
/** What is said: a word of four bytes for each piece that was taken, and one byte for each that is wanted. */
const TAKEN_BYTES = 4;

/** At the source. */
export class ServedPages {
  readonly #served = new Map<string, { readonly bytes: Uint8Array; at: number }>();

  open(move: string, bytes: Uint8Array): void {
    this.#served.set(move, { bytes, at: 0 });
  }

  serve(move: string, said: Uint8Array): PagesAnswer {
    const served = this.#served.get(move);
    if (served === undefined) throw new TypeError(`move ${move} is not served`);
    const view = new DataView(said.buffer, said.byteOffset, said.length);
    const taken = said.length >= TAKEN_BYTES ? view.getUint32(0) : 0;
    const bytes = served.bytes.slice(served.at, served.at + PIECE);
    served.at += bytes.length;
    return { bytes, done: taken === served.bytes.length };
  }

  release(move: string): void {
    this.#served.delete(move);
  }
}

/** At the destination. */
export class CountedPages implements IncomingPages {
  readonly whole: Promise<void>;
  onSaid: (() => void) | undefined;
  readonly #end = Promise.withResolvers<void>();
  readonly #timers: Timers;
  readonly #over: (ballast: Uint8Array | undefined) => void;
  readonly #ballast: Uint8Array;
  readonly #first: number;
  #at: number;
  #said: Uint8Array = new Uint8Array();
  #ended = false;

  constructor(
    first: Uint8Array,
    total: number,
    timers: Timers,
    over: (ballast: Uint8Array | undefined) => void,
  ) {
    this.whole = this.#end.promise;
    this.whole.catch(() => undefined);
    this.#timers = timers;
    this.#over = over;
    this.#ballast = new Uint8Array(total);
    this.#ballast.set(first);
    this.#first = first.length;
    this.#at = first.length;
  }

  said(): Uint8Array {
    const said = this.#said;
    this.#said = new Uint8Array();
    return said;
  }

  async take(bytes: Uint8Array): Promise<boolean> {
    if (this.#ended) throw new TypeError("it is not here any more");
    this.#ballast.set(bytes, this.#at);
    this.#at += bytes.length;
    const said = new Uint8Array(TAKEN_BYTES);
    new DataView(said.buffer).setUint32(0, this.#at - this.#first);
    this.#said = said;
    this.#timers.schedule(WANTS_AFTER_MS, () => this.#want());
    if (this.#at < this.#ballast.length) return false;
    this.#finish(this.#ballast);
    return true;
  }

  lose(): void {
    this.#finish(undefined);
  }

  #want(): void {
    if (this.#ended) return;
    if (this.#said.length === 0) this.#said = Uint8Array.of(1);
    this.onSaid?.();
  }

  #finish(ballast: Uint8Array | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#over(ballast);
    if (ballast === undefined) this.#end.reject(new TypeError("the ballast did not come"));
    else this.#end.resolve();
  }
}
