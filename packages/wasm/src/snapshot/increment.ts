/**
 * Increments: what changed in a guest since a state that the reader has already (docs/spec/snapshot.md, "Increments").
 *
 * I1. An increment names its base by a digest and is applied to that base only.
 * I2. Base and increments applied in order give the image that was taken last, byte for byte.
 * I3. A state is named by the SHA-256 that ends its snapshot without compression, when it was taken as a whole, and by the digest
 *     that ends the increment, when it came from one. One state reached in two ways therefore has two names.
 */
import { hash } from "node:crypto";
import type { InstanceImage } from "@glia-os/abi/ports";
import { INCREMENT_MAGIC, SNAPSHOT_PAGE_BYTES, SNAPSHOT_VERSION } from "@glia-os/abi/wire";
import { type Checkpoint, type DecodeLimits, SnapshotDecoder, sectionIn } from "./decode.ts";
import {
  type EncodeOptions,
  encodeSnapshot,
  headerOf,
  type Packer,
  type PageWriter,
  packerFor,
  prefixed,
  unsealed,
} from "./encode.ts";
import { exclusiveOr } from "./exclusive-or.ts";
import { DIGEST_BYTES, ENCODING } from "./format.ts";
import { encodeZeroRuns } from "./zero-runs.ts";

/** An increment and the state after it. */
export interface Increment {
  readonly bytes: Uint8Array;
  /** Holds the image it was taken from, not a copy. */
  readonly next: Checkpoint;
}

/**
 * A whole state as the base of increments: its id costs one pass of SHA-256 over what is not zero in it. The image is kept, not
 * copied. @throws SnapshotMismatchError when the image is not one a snapshot can hold
 */
export function checkpointOf(image: InstanceImage): Checkpoint {
  let last: Uint8Array = new Uint8Array();
  for (const piece of encodeSnapshot(image, { compress: false })) last = piece;
  return { image, id: Buffer.from(last.subarray(-DIGEST_BYTES)).toString("hex") };
}

/**
 * What changed from `base` to `image`. Every page is compared, about 0.2 ms per MiB; only pages that differ are written.
 * @throws SnapshotMismatchError when the image is not one a snapshot can hold
 */
export function encodeIncrement(
  base: Checkpoint,
  image: InstanceImage,
  options: EncodeOptions = {},
): Increment {
  const header = { base: Buffer.from(base.id, "hex"), ...headerOf(image) };
  const prefix = prefixed(INCREMENT_MAGIC, SNAPSHOT_VERSION, header);
  const pack = options.compress === false ? packerFor(options) : fewBytes;
  const parts = [...unsealed(prefix, image, header, differenceTo(base.image), pack)];
  const digest = hash("sha256", Buffer.concat(parts), "buffer");
  const id = digest.toString("hex");
  return { bytes: new Uint8Array(Buffer.concat([...parts, digest])), next: { image, id } };
}

/** One part in so many may differ for {@link ENCODING.runs} to be taken, or as much as these bytes: starting a compressor takes longer. */
const SPARSE = 8;
const FEW_RUN_BYTES = 2048;
/** More bytes of stretches than these are left to the compressor: it is quicker then, and makes them shorter. */
const MOST_RUN_BYTES = 8192;
/** Fewer bytes than these are kept as they are: no compressor makes them worth its start. */
const LEAST_COMPRESSED = 256;

/** Stretches when little differs, else compressed. */
const fewBytes: Packer = (raw) => {
  if (raw.length < LEAST_COMPRESSED) return [ENCODING.raw, raw];
  const sparse = Math.min(MOST_RUN_BYTES, Math.max(FEW_RUN_BYTES, Math.floor(raw.length / SPARSE)));
  const runs = encodeZeroRuns(raw, Math.min(sparse, raw.length - 1));
  return runs === undefined ? packerFor({})(raw) : [ENCODING.runs, runs];
};

/**
 * The state after an increment. The base is left as it is.
 * @throws SnapshotMismatchError for another base; SnapshotCorruptError, SnapshotVersionError, SnapshotTooBigError
 */
export function applyIncrement(base: Checkpoint, bytes: Uint8Array, limits: DecodeLimits = {}): Checkpoint {
  const decoder = new SnapshotDecoder(limits, base);
  decoder.push(bytes);
  const image = decoder.finish();
  return { image, id: Buffer.from(bytes.subarray(-DIGEST_BYTES)).toString("hex") };
}

/** A base and its increments in order. @throws as {@link applyIncrement} */
export function restoreIncrements(
  base: Checkpoint,
  increments: Iterable<Uint8Array>,
  limits: DecodeLimits = {},
): Checkpoint {
  let state = base;
  for (const bytes of increments) state = applyIncrement(state, bytes, limits);
  return state;
}

const ZEROS = new Uint8Array(SNAPSHOT_PAGE_BYTES);

/** The base's page at `from`, filled up with zeros where the base ends. */
function pageOf(before: Uint8Array | undefined, from: number, size: number): Uint8Array {
  if (before === undefined || from >= before.length) return ZEROS.subarray(0, size);
  const page = before.subarray(from, from + size);
  if (page.length === size) return page;
  const filled = new Uint8Array(size);
  filled.set(page);
  return filled;
}

/** Writes a page as the exclusive-or with the base's: what did not change in it becomes zeros, which compress to nothing. */
function differenceTo(base: InstanceImage): PageWriter {
  return ({ name, content }, from, size, target) => {
    const now = content.subarray(from, from + size);
    const before = pageOf(sectionIn(base, name), from, size);
    if (Buffer.compare(now, before) === 0) return false;
    exclusiveOr(target, now, before);
    return true;
  };
}
