/**
 * Cuts bytes where their content says so: what two values have in common has the same chunks, wherever it stands in them. So a
 * conversation that grew costs its last chunks, not the whole.
 *
 * CC1. A chunk has {@link LEAST} to {@link MOST} bytes; only the last one may have fewer.
 * CC2. Where a chunk ends depends on its bytes alone.
 *
 * A cut is where the upper bits of a gear hash are zero (W. Xia et al., "FastCDC", USENIX ATC 2016, section 3; without its second mask).
 * The gear hash shifts by one bit a byte, so it depends on the last 32 bytes.
 */

/** Fewest bytes of a chunk that is not the last. */
export const LEAST = 8_192;
/** Most bytes of a chunk. */
export const MOST = 65_536;
/** Thirteen bits: a cut is found 8,192 bytes after the least on average. */
const CUT_MASK = 0xfff8_0000;
/** Bytes the hash has to have seen at the first place where a cut may be. */
const WINDOW = 32;

const GEAR: Uint32Array = gear();

/** 256 numbers by which a byte counts: xorshift32 of G. Marsaglia (2003) from the start 2,463,534,242 of that paper. */
function gear(): Uint32Array {
  const table = new Uint32Array(256);
  let x = 2_463_534_242;
  for (let i = 0; i < table.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    table[i] = x;
  }
  return table;
}

/** The chunks of some bytes, as views in order; none of no bytes. O(bytes). */
export function chunksOf(bytes: Uint8Array): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = endOf(bytes, start);
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  return chunks;
}

function endOf(bytes: Uint8Array, start: number): number {
  const most = Math.min(start + MOST, bytes.length);
  let hash = 0;
  for (let at = start + LEAST - WINDOW; at < most; at++) {
    hash = (hash << 1) + (GEAR[bytes[at] as number] as number);
    if (at >= start + LEAST - 1 && (hash & CUT_MASK) === 0) return at + 1;
  }
  return most;
}
