/**
 * A guest on its way out by post-copy, as its runner reads it: the start of the stream and rounds while it runs, what is not memory when it stands
 * still, and pages as its destination asks for them (docs/spec/postcopy.md).
 */
import type { ReadingPages } from "@glia-os/cells";
import type { PagesAnswer } from "@glia-os/mesh-core";
import { PostCopySource, type Tracking, type WasmInstance } from "@glia-os/wasm";

/** Most rounds before the guest stops. */
const ROUNDS = 5;
/** Pages of 4 KiB that are few enough to stop the guest. */
const FEW_PAGES = 64;
/** Another round is worth it when it leaves at most this part of what the one before sent. */
const SHRINKING = 0.75;
/** Pushes that the destination may not have answered yet. */
const WINDOW = 64;
/** A call for what comes next gets this many bytes, and at most one push more. */
const SERVED_BYTES: number = 384 * 1024;
const ANSWER_BYTES = 5;
const WANTED = 1;

/** One guest. */
export class PagesReading implements ReadingPages {
  readonly #source: PostCopySource;
  readonly #rounds: number;
  #begun = false;
  #sent = 0;
  #reading: Generator<Uint8Array, void, undefined> | undefined;

  /** With `tracking` rounds go before the hand-over. @throws as {@link PostCopySource} */
  constructor(instance: WasmInstance, tracking: Tracking | undefined) {
    this.#source = new PostCopySource(instance, {
      window: WINDOW,
      ...(tracking === undefined ? {} : { tracking }),
    });
    this.#rounds = tracking === undefined ? 0 : ROUNDS;
  }

  next(): Uint8Array | undefined {
    if (!this.#begun) {
      this.#begun = true;
      return own(this.#source.start());
    }
    while (this.#reading !== undefined || !this.#settled) {
      this.#reading ??= this.#round();
      const { done, value } = this.#reading.next();
      if (done !== true) return own(value);
      this.#reading = undefined;
    }
    return undefined;
  }

  *last(): Generator<Uint8Array, void, undefined> {
    for (const piece of this.#source.handOver()) yield own(piece);
  }

  serve(said: Uint8Array): PagesAnswer {
    const source = this.#source;
    source.answered(said);
    const pieces: Uint8Array[] = [];
    // Whoever waits for pages gets these and nothing else; what they would wait behind comes with the next call.
    let wanted = wantedIn(said);
    const most = wanted > 0 ? 1 : SERVED_BYTES;
    for (let bytes = 0; bytes < most || wanted > 0; wanted--) {
      const piece = source.next();
      if (piece === undefined) break;
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= SERVED_BYTES) break;
    }
    return { bytes: own(Buffer.concat(pieces)), done: source.complete };
  }

  cancel(): void {
    this.#source.cancel();
  }

  get #settled(): boolean {
    const { rounds, dirtyPages } = this.#source;
    if (this.#rounds === 0 || rounds >= this.#rounds) return true;
    return rounds > 0 && (dirtyPages <= FEW_PAGES || dirtyPages > SHRINKING * this.#sent);
  }

  #round(): Generator<Uint8Array, void, undefined> {
    this.#sent = this.#source.dirtyPages;
    return this.#source.round();
  }
}

/** In memory of its own, which can be given up to another thread. */
function own(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** Pages that are asked for in what the destination says; what it says comes in whole answers. */
function wantedIn(said: Uint8Array): number {
  let wanted = 0;
  for (let at = 0; at < said.length; at += ANSWER_BYTES) if (said[at] === WANTED) wanted++;
  return wanted;
}
