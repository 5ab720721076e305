/**
 * Loads the bodies of batches that follow each other in a domain as one: what lies close together in a file is read at once.
 *
 * JB1. Every body is held against its checksum before it counts.
 */
import { crc32 } from "node:zlib";
import type { PlacedBatch } from "../domain-log.ts";
import { BODY_SUM } from "./entry-codec.ts";

/** Reads bytes from a place of the log; all of them lie in one file. */
export type ReadPlace = (place: number, length: number) => Uint8Array;

/** The most bytes of one read, unless a body has more. */
const WINDOW_BYTES = 1_048_576;
/** A read takes in at most this many bytes between bodies beside as many as four times the bodies have. */
const GAP_BYTES = 4_096;
const SPARSE = 4;

/** The bodies one after the other. `endOf` is where the file ends that holds a place. `damaged` throws for a batch whose sum is another. */
export function joinBodies(
  batches: readonly PlacedBatch[],
  read: ReadPlace,
  endOf: (place: number) => number,
  damaged: (batch: PlacedBatch) => never,
): Uint8Array {
  const joined = new Uint8Array(batches.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (let i = 0; i < batches.length; ) {
    const first = batches[i] as PlacedBatch;
    const end = windowEnd(batches, i, endOf(first.place));
    const last = batches[end - 1] as PlacedBatch;
    const bytes = read(first.place, last.place + BODY_SUM + last.length - first.place);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (; i < end; i++) {
      const batch = batches[i] as PlacedBatch;
      const start = batch.place - first.place;
      const body = bytes.subarray(start + BODY_SUM, start + BODY_SUM + batch.length);
      if (body.length !== batch.length || crc32(body) !== view.getUint32(start, true)) damaged(batch);
      joined.set(body, at);
      at += batch.length;
    }
  }
  return joined;
}

/** The first batch after `from` that one read does not take in. */
function windowEnd(batches: readonly PlacedBatch[], from: number, fileEnd: number): number {
  const { place: start, length } = batches[from] as PlacedBatch;
  let useful = length;
  let last = start;
  let i = from + 1;
  for (; i < batches.length; i++) {
    const { place, length: more } = batches[i] as PlacedBatch;
    const span = place + BODY_SUM + more - start;
    useful += more;
    if (place < last || place >= fileEnd || span > WINDOW_BYTES || span > SPARSE * useful + GAP_BYTES) break;
    last = place;
  }
  return i;
}
