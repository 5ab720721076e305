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

/** Make `target` equal to `source`, which has the same length; a page that is zero on both sides is only read. */
export function copySparse(target: Uint8Array, source: Uint8Array): void {
  for (let start = 0; start < source.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, source.length);
    if (isZeroPage(source.subarray(start, end)) && isZeroPage(target.subarray(start, end))) continue;
    for (let at = start; at < end; at += SNAPSHOT_PAGE_BYTES)
      copyPage(target, source, at, Math.min(at + SNAPSHOT_PAGE_BYTES, end));
  }
}

/** A copy; its zeros take no memory. */
export function sparseCopy(source: Uint8Array): Uint8Array {
  const copy = new Uint8Array(source.length);
  copySparse(copy, source);
  return copy;
}

function copyPage(target: Uint8Array, source: Uint8Array, start: number, end: number): void {
  const page = source.subarray(start, end);
  if (!isZeroPage(page)) target.set(page, start);
  else if (!isZeroPage(target.subarray(start, end))) target.fill(0, start, end);
}
