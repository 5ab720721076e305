/**
 * Pieces of a guest's state, put together for the way to another thread and over the wire: each crossing costs a turn of both sides.
 *
 * JP1. What comes out is, joined, what went in, in order; nothing is empty, and nothing longer than `most`.
 * JP2. Each is in memory of its own that nobody else has, so it can be given up; a piece is looked at only until the next one is asked for.
 */

/** How pieces are put together, in bytes. */
export interface JoinedSize {
  /** From this on, no further piece is waited for. */
  readonly least: number;
  /** Longer than this is nothing. At least `least`. */
  readonly most: number;
}

/** The pieces of `next`, joined. `done` is told of each that is not looked at any more. O(bytes). */
export function* joinedPieces(
  next: () => Uint8Array | undefined,
  { least, most }: JoinedSize,
  done: (piece: Uint8Array) => void = () => undefined,
): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  const room = new Uint8Array(most);
  let length = 0;
  for (let piece = next(); piece !== undefined; piece = next()) {
    for (let from = 0; from < piece.length; ) {
      const part = piece.subarray(from, from + most - length);
      room.set(part, length);
      from += part.length;
      length += part.length;
      if (length < most) break;
      yield room.slice();
      length = 0;
    }
    done(piece);
    if (length < least) continue;
    yield room.slice(0, length);
    length = 0;
  }
  if (length > 0) yield room.slice(0, length);
}
