/** The byte form of a guest's state (docs/spec/snapshot.md): streaming writer and reader. */

export {
  SnapshotCorruptError,
  SnapshotMismatchError,
  SnapshotTooBigError,
  SnapshotVersionError,
} from "../errors.ts";
export { type Checkpoint, type DecodeLimits, decodeSnapshot, SnapshotDecoder } from "./decode.ts";
export { type EncodeOptions, encodeSnapshot } from "./encode.ts";
export {
  applyIncrement,
  checkpointOf,
  encodeIncrement,
  type Increment,
  restoreIncrements,
} from "./increment.ts";
