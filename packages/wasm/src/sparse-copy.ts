/**
 * Copies memory that is mostly zeros without touching the zeros.
 *
 * A page of linear memory that was never written costs the process nothing until somebody writes it. Copying it as bytes would make it
 * real on both sides: a guest with a large, mostly empty memory would then cost its full size at every move.
 */
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";

/** Looked at in one go before its pages are: most of a sparse memory is whole blocks of zeros. */
const BLOCK_BYTES = 65_536;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** Whether a page, or anything up to 64 KiB, holds only zeros. */
export function isZeroPage(page: Uint8Array): boolean {
  return page[0] === 0 && ZEROS.compare(page, 0, page.length, 0, page.length) === 0;
}

/** Make `target` equal to `source`, which has the same length; what is zero on both sides, by pages in blocks of zeros, is only read. */
export function copySparse(target: Uint8Array, source: Uint8Array): void {
  for (let start = 0; start < source.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, source.length);
    const [from, to] = [source.subarray(start, end), target.subarray(start, end)];
    const empty = isZeroPage(to);
    if (isZeroPage(from)) {
      if (!empty) to.fill(0);
    } else if (empty) copyPages(to, from);
    // The block is real already: one copy is quicker than looking at its pages.
    else to.set(from);
  }
}

/** A copy; its zeros take no memory. */
export function sparseCopy(source: Uint8Array): Uint8Array {
  const copy = new Uint8Array(source.length);
  copySparse(copy, source);
  return copy;
}

/** Into a block of zeros: pages of zeros stay untouched. */
function copyPages(target: Uint8Array, source: Uint8Array): void {
  for (let at = 0; at < source.length; at += SNAPSHOT_PAGE_BYTES) {
    const page = source.subarray(at, at + SNAPSHOT_PAGE_BYTES);
    if (!isZeroPage(page)) target.set(page, at);
  }
}
