/**
 * A cell's image as it crosses (docs/spec/cell-image.md): its head and the guest's snapshot, or, when the guest was read while it ran, pieces of that
 * first. Here it is taken apart again, whatever the chunks are.
 *
 * IS1. Every declared length is checked before anything is allocated for it; pieces are passed on as they come and never held.
 * IS2. The head comes exactly once. What does not follow the form is refused with `cells.bad-image`.
 */
import { BadImageError } from "./errors.ts";
import { type CellHead, CHUNK_BYTES, decodeHead, HEAD_BYTES_MAX } from "./frozen-cell.ts";

const LENGTH_BYTES = 4;
/** First byte of an image with pieces. The length of a head never starts with it. */
const AHEAD = 0xff;
/** The same of an image whose pages are not in it: they follow when the cell runs. */
const PAGES = 0xfe;

/** One part of an image. */
export type ImagePart =
  /** Pieces come first: the guest was read while it ran. `pages`: what they and the rest have not follows when it runs. */
  | { readonly kind: "ahead"; readonly pages: boolean }
  /** The last of these pieces was there: what follows is of the agent that stands still. */
  | { readonly kind: "caught-up" }
  /** Bytes of the guest: of pieces before the head, of the snapshot or the rest after it. */
  | { readonly kind: "guest"; readonly bytes: Uint8Array }
  | { readonly kind: "head"; readonly head: CellHead };

/** The first byte of an image with pieces. */
export const AHEAD_MARK: Uint8Array = Uint8Array.of(AHEAD);
/** The first byte of an image whose pages follow. */
export const PAGES_MARK: Uint8Array = Uint8Array.of(PAGES);

/** What stands before a piece; of one without bytes, the end of the pieces. */
export function lengthOf(piece: Uint8Array): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, piece.length);
  return length;
}

/** Takes an image apart. */
export class ImageReader {
  #state: "start" | "length" | "piece" | "head" | "rest" = "start";
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Where the head ends, once its length is known. */
  #end: number | undefined;
  #left = 0;

  /** The parts that a chunk completes or carries. @throws {BadImageError} */
  *push(chunk: Uint8Array): Generator<ImagePart, void, undefined> {
    let bytes = chunk;
    while (bytes.length > 0) {
      if (this.#state === "start") {
        const [first] = bytes;
        const ahead = first === AHEAD || first === PAGES;
        this.#state = ahead ? "length" : "head";
        if (!ahead) continue;
        bytes = bytes.subarray(1);
        yield { kind: "ahead", pages: first === PAGES };
      } else if (this.#state === "length") {
        bytes = this.#readLength(bytes);
        if (this.#isHead) yield { kind: "caught-up" };
      } else if (this.#state === "head") {
        const split = this.#readHead(bytes);
        if (split === undefined) return;
        yield { kind: "head", head: split.head };
        bytes = split.rest;
      } else {
        const taken = this.#state === "rest" ? bytes : bytes.subarray(0, this.#left);
        bytes = bytes.subarray(taken.length);
        this.#left -= taken.length;
        if (this.#state === "piece" && this.#left === 0) this.#state = "length";
        // Last: whoever gets them may give their memory away.
        yield { kind: "guest", bytes: taken };
      }
    }
  }

  /** Asked for behind a length: a length of 0 ended the pieces. */
  get #isHead(): boolean {
    return this.#state === "head";
  }

  #readLength(bytes: Uint8Array): Uint8Array {
    const wanted = LENGTH_BYTES - this.#heldBytes;
    this.#hold(bytes.subarray(0, wanted));
    if (this.#heldBytes === LENGTH_BYTES) {
      this.#left = lengthIn(this.#joined());
      if (this.#left > CHUNK_BYTES) throw new BadImageError(`a piece says it has ${this.#left} bytes`);
      this.#release();
      this.#state = this.#left === 0 ? "head" : "piece";
    }
    return bytes.subarray(wanted);
  }

  #readHead(bytes: Uint8Array): { readonly head: CellHead; readonly rest: Uint8Array } | undefined {
    this.#hold(bytes);
    if (this.#end === undefined && this.#heldBytes >= LENGTH_BYTES) {
      const length = lengthIn(this.#joined());
      if (length > HEAD_BYTES_MAX) throw new BadImageError(`its head says it has ${length} bytes`);
      this.#end = LENGTH_BYTES + length;
    }
    if (this.#end === undefined || this.#heldBytes < this.#end) return undefined;
    const held = this.#joined();
    this.#release();
    this.#state = "rest";
    return { head: decodeHead(held.subarray(LENGTH_BYTES, this.#end)), rest: held.subarray(this.#end) };
  }

  #hold(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #release(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** What is held, as one; each byte of a head is copied twice at most. */
  #joined(): Uint8Array {
    const whole = new Uint8Array(this.#heldBytes);
    let at = 0;
    for (const part of this.#held) {
      whole.set(part, at);
      at += part.length;
    }
    this.#held = [whole];
    return whole;
  }
}

function lengthIn(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
