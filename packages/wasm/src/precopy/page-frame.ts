/**
 * Page frames: pages of one block of 1 MiB, as pre-copy and post-copy send them (docs/spec/precopy.md). A frame that comes from outside
 * is checked against the size of memory before anything of it is read.
 */
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";
import { isZeroPage } from "../sparse-copy.ts";
import { BITMAP_BYTES, FRAME_BYTES, FRAME_HEAD_BYTES, FRAME_PAGES, mark, marked, PART } from "./format.ts";
import { PIECE_PAGES, type PieceMemory } from "./piece-memory.ts";

/** Where a frame lies and what it holds. */
export interface FrameHead {
  readonly block: number;
  readonly held: Uint8Array;
  readonly zero: Uint8Array;
  /** Bytes of the payload. */
  readonly length: number;
}

/**
 * The frame of these pages of memory, which lie in `block`, in rising order; pages of zeros are left out, and listed when `zeros`. No
 * piece when that leaves nothing to say, else pieces of at most 128 KiB: what a guest waits for between two of them. Which pages are zeros is settled at the first
 * piece, what the others hold when their piece is asked for: a guest that runs in between has what it writes marked again.
 */
export function* framePieces(
  memory: () => Uint8Array,
  block: number,
  pages: readonly number[],
  zeros: boolean,
  pieces: PieceMemory,
): Generator<Uint8Array, void, undefined> {
  const held = new Uint8Array(BITMAP_BYTES);
  const zero = new Uint8Array(BITMAP_BYTES);
  const whole = memory();
  const kept = pages.filter((page) => {
    const empty = isZeroPage(pageOf(whole, page));
    if (!empty || zeros) mark(empty ? zero : held, page - block * FRAME_PAGES);
    return !empty;
  });
  if (kept.length === 0 && (!zeros || pages.length === 0)) return;
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32LE(PART.pages, 0);
  head.writeUInt32LE(block, 4);
  head.writeUInt32LE(kept.length * SNAPSHOT_PAGE_BYTES, 8);
  head.set(held, 12);
  head.set(zero, 12 + BITMAP_BYTES);
  yield head;
  for (let from = 0; from < kept.length; from += PIECE_PAGES)
    yield copyOf(memory(), kept.slice(from, from + PIECE_PAGES), pieces);
}

function copyOf(memory: Uint8Array, pages: readonly number[], pieces: PieceMemory): Uint8Array {
  const bytes = pieces.take(pages.length * SNAPSHOT_PAGE_BYTES);
  for (const [at, page] of pages.entries()) bytes.set(pageOf(memory, page), at * SNAPSHOT_PAGE_BYTES);
  return bytes;
}

/** Read what follows the kind of a frame for a memory of `bytes`; what is wrong with it as text. The maps are copies. */
export function readFrameHead(head: Uint8Array, bytes: number): FrameHead | string {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const [block, length] = [view.getUint32(3, true), view.getUint32(7, true)];
  if (head[0] !== 0 || head[1] !== 0 || head[2] !== 0) return "a frame does not start as one";
  const pages = bytes / SNAPSHOT_PAGE_BYTES - block * FRAME_PAGES;
  const [held, zero] = [head.slice(11, 43), head.slice(43)];
  let count = 0;
  for (let page = 0; page < FRAME_PAGES; page++) {
    const [has, clears] = [marked(held, page), marked(zero, page)];
    if ((has && clears) || ((has || clears) && page >= pages)) return "a frame does not fit its memory";
    if (has) count += 1;
  }
  if (length !== count * SNAPSHOT_PAGE_BYTES) return "a frame does not fit its pages";
  return { block, held, zero, length };
}

/** Write a frame's pages to memory. */
export function placeFrame(memory: Uint8Array, { block, held, zero }: FrameHead, payload: Uint8Array): void {
  let from = 0;
  for (let page = 0; page < FRAME_PAGES; page++) {
    const at = block * FRAME_BYTES + page * SNAPSHOT_PAGE_BYTES;
    if (marked(held, page)) {
      memory.set(payload.subarray(from, from + SNAPSHOT_PAGE_BYTES), at);
      from += SNAPSHOT_PAGE_BYTES;
    } else if (marked(zero, page)) clearPage(memory.subarray(at, at + SNAPSHOT_PAGE_BYTES));
  }
}

/** The pages a frame speaks of, by their number in memory. */
export function pagesOf({ block, held, zero }: FrameHead): number[] {
  const pages: number[] = [];
  for (let page = 0; page < FRAME_PAGES; page++)
    if (marked(held, page) || marked(zero, page)) pages.push(block * FRAME_PAGES + page);
  return pages;
}

function pageOf(memory: Uint8Array, page: number): Uint8Array {
  return memory.subarray(page * SNAPSHOT_PAGE_BYTES, (page + 1) * SNAPSHOT_PAGE_BYTES);
}

/** A page that nobody has written takes no memory until somebody does. */
function clearPage(page: Uint8Array): void {
  if (!isZeroPage(page)) page.fill(0);
}
