/**
 * The images the network learns from: 8 by 8 pixels of 16 greys, and which digit each shows. Synthetic; `data/generate.ts` drew them.
 *
 * A file of 33 bytes for each image: the label, then two pixels a byte, the first in the high half.
 */

/** Pixels of a side. */
export const SIDE = 8;
/** Images of the file. */
export const COUNT = 2000;
/** Images to learn from; the rest is kept to test with. */
export const TRAINING = 1500;

const PIXELS = SIDE * SIDE;
const BYTES = 1 + PIXELS / 2;

/** One image. */
export interface Digit {
  /** 0 to 9. */
  readonly label: number;
  /** Rows from the top, 0 (paper) to 15 (ink). */
  readonly pixels: readonly number[];
}

/** Images as a file. */
export function encodeDigits(digits: readonly Digit[]): Uint8Array {
  const bytes = new Uint8Array(digits.length * BYTES);
  for (const [index, { label, pixels }] of digits.entries()) {
    bytes[index * BYTES] = label;
    for (let at = 0; at < PIXELS; at += 2)
      bytes[index * BYTES + 1 + at / 2] = ((pixels[at] as number) << 4) | (pixels[at + 1] as number);
  }
  return bytes;
}

/** The images of a file. @throws RangeError when it is none */
export function decodeDigits(bytes: Uint8Array): Digit[] {
  if (bytes.length === 0 || bytes.length % BYTES !== 0)
    throw new RangeError(`a file of digits has a multiple of ${BYTES} bytes, this one ${bytes.length}`);
  return Array.from({ length: bytes.length / BYTES }, (_, index) => {
    const record = bytes.subarray(index * BYTES, (index + 1) * BYTES);
    const label = record[0] as number;
    if (label > 9) throw new RangeError(`image ${index} has the label ${label}; labels go from 0 to 9`);
    return { label, pixels: Array.from(record.subarray(1), (pair) => [pair >> 4, pair & 15]).flat() };
  });
}
