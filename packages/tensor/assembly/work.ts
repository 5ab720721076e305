/**
 * The working memory of this instance: WORK_BYTES below what tensors use, aligned to 64. Each thread's instance has its own.
 *
 * | bytes from `work` | use |
 * |---|---|
 * | 0 to 1023 | tails of rows, edges of tiles |
 * | from 1024 | packed blocks of products |
 */

/** Where the working memory begins. */
export let work: usize = 0;

/** Bytes of working memory: the blocks of the largest product (`gemm-int8.ts`) and the first kibibyte. */
export const WORK_BYTES: usize = 1024 + 1024 * 512 * 2 + 96 * 1024 * 2;

/** Tell the instance where its working memory begins. */
export function set_work(at: usize): void {
  work = at;
}

/** Bytes of working memory that `set_work` must bring. */
export function work_bytes(): usize {
  return WORK_BYTES;
}
