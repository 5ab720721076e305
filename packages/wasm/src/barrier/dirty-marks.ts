/**
 * Which pages of guest memory were written: a byte per page of 4 KiB in the memory `glia.dirty` of a tracked module.
 *
 * DM1. The guest's code marks what it writes (mark-writes.ts); the host marks what it writes for the guest before it does.
 * DM2. A page is read only after its mark was taken off, so a write that comes later is never lost.
 */
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";
import { DIRTY_EXPORT } from "../layout.ts";
import type { LinearMemory, Namespace } from "../web-assembly.ts";

const PAGE_SHIFT = Math.log2(SNAPSHOT_PAGE_BYTES);
const MARKED = 1;
/** Pages of a mebibyte, by four. */
const NEAR_WORDS = 64;

/** The marks of one guest. */
export class DirtyMarks {
  readonly #marks: Buffer;
  /** The same, four pages at a time. */
  readonly #words: Uint32Array;

  private constructor({ buffer }: LinearMemory) {
    this.#marks = Buffer.from(buffer);
    this.#words = new Uint32Array(buffer);
  }

  /** The marks of a tracked module's instance. */
  static of(exports: Namespace): DirtyMarks {
    return new DirtyMarks(exports[DIRTY_EXPORT] as LinearMemory);
  }

  /** Mark the pages that hold any of `length` bytes from `pointer` on; the range lies in guest memory and is not empty. */
  mark(pointer: number, length: number): void {
    this.#marks.fill(MARKED, pointer >>> PAGE_SHIFT, ((pointer + length - 1) >>> PAGE_SHIFT) + 1);
  }

  /** The first marked page from `page` on, or -1. A machine word or more at a time. */
  next(page: number): number {
    const marks = this.#marks;
    const words = this.#words;
    let at = page;
    for (; (at & 3) !== 0; at++) if (marks[at] === MARKED) return at;
    // A call of the platform costs as much as looking at some hundred pages here.
    const near = Math.min(words.length, (at >> 2) + NEAR_WORDS);
    for (let word = at >> 2; word < near; word++) {
      if (words[word] === 0) continue;
      for (at = 4 * word; at < 4 * word + 4; at++) if (marks[at] === MARKED) return at;
    }
    return near === words.length ? -1 : marks.indexOf(MARKED, 4 * near);
  }

  /** Take the mark of a page off (DM2). */
  clear(page: number): void {
    this.#marks[page] = 0;
  }

  /** How many pages are marked. O(pages of the memory). */
  get count(): number {
    let count = 0;
    for (let page = this.next(0); page >= 0; page = this.next(page + 1)) count += 1;
    return count;
  }
}
