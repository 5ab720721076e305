/** Checkpoints of guests as `@glia-os/wasm` writes snapshots and increments (docs/spec/snapshot.md). */
import type { InstanceImage } from "@glia-os/abi/ports";
import type { CheckpointCodec } from "@glia-os/cells";
import {
  type Checkpoint,
  checkpointOf,
  encodeIncrement,
  encodeSnapshot,
  restoreIncrements,
  SnapshotDecoder,
} from "@glia-os/wasm";
import { cutPieces } from "../cut-pieces.ts";

const DIGEST_BYTES = 32;

/** Without compression: a whole one is then named by its own last bytes, and the next one is compared with it (I3). */
function whole(image: InstanceImage): { readonly chunks: readonly Uint8Array[]; readonly state: Checkpoint } {
  const chunks = [...cutPieces(encodeSnapshot(image, { compress: false }))];
  const last = chunks.at(-1) ?? new Uint8Array();
  return { chunks, state: { image, id: Buffer.from(last.subarray(-DIGEST_BYTES)).toString("hex") } };
}

/** The codec of nodes, whose guests all come from the engine of `@glia-os/wasm`. */
export const checkpointCodec: CheckpointCodec<Checkpoint> = {
  whole,
  next: (before, image) => {
    const { bytes, next } = encodeIncrement(before, image);
    return { chunks: cutPieces([bytes]), state: next };
  },
  restore: ({ whole: parts, increments }, imageBytes) => {
    const decoder = new SnapshotDecoder({ imageBytes });
    for (const part of parts) decoder.push(part);
    const image = decoder.finish();
    if (increments.length === 0) return image;
    const joined = increments.map((chunks) => new Uint8Array(Buffer.concat(chunks)));
    return restoreIncrements(checkpointOf(image), joined, { imageBytes }).image;
  },
};
