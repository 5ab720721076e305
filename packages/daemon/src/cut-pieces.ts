/** Snapshots in pieces that a call can carry: a frame of pages that cannot be compressed is some bytes longer than its pages. */

/** Longest piece, in bytes: the largest chunk of a move, and the largest part of a checkpoint. */
export const PIECE_BYTES_MAX = 1_048_576;

/** The same bytes, none of the pieces longer than {@link PIECE_BYTES_MAX}. Nothing is copied. */
export function* cutPieces(pieces: Iterable<Uint8Array>): Generator<Uint8Array, void, undefined> {
  for (const piece of pieces)
    for (let at = 0; at < piece.length; at += PIECE_BYTES_MAX) yield piece.subarray(at, at + PIECE_BYTES_MAX);
}
