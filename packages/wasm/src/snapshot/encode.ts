/** Writes an instance's state as bytes, piece by piece. */
import { createHash, type Hash } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";
import type { InstanceImage } from "@glia-os/abi/ports";
import { SNAPSHOT_MAGIC, SNAPSHOT_PAGE_BYTES, SNAPSHOT_VERSION } from "@glia-os/abi/wire";
import { encode } from "cborg";
import { SnapshotMismatchError } from "../errors.ts";
import { isZeroPage } from "../sparse-copy.ts";
import {
  BITMAP_BYTES,
  ENCODING,
  FRAME,
  FRAME_BYTES,
  FRAME_HEAD_BYTES,
  FRAME_PAGES,
  MOST_SECTIONS,
  PREFIX_BYTES,
  pageBytes,
  type SnapshotHeader,
} from "./format.ts";

/** How to write a snapshot. */
export interface EncodeOptions {
  /** Compress pages with Zstandard level 1 where that makes them smaller. Default true. */
  readonly compress?: boolean;
}

/**
 * The bytes of a snapshot, in pieces of at most 1 MiB and a few dozen bytes. Without compression the bytes depend on the image
 * alone; with it also on the Zstandard version. Memory beyond the image: one piece. The image must not change meanwhile.
 * @throws SnapshotMismatchError when the image is not one a snapshot can hold
 */
export function* encodeSnapshot(
  image: InstanceImage,
  options: EncodeOptions = {},
): Generator<Uint8Array, void, undefined> {
  const compress = options.compress ?? true;
  const names = Object.keys(image.sections).sort();
  const hash = createHash("sha256");
  yield hashed(hash, head(image, names));
  for (const [index, name] of names.entries()) {
    const section = image.sections[name] as Uint8Array;
    for (let start = 0; start < section.length; start += FRAME_BYTES) {
      const frame = pagesFrame(index, section, start, compress);
      if (frame !== undefined) yield hashed(hash, frame);
    }
  }
  const end = Uint8Array.of(FRAME.end);
  hash.update(end);
  yield Uint8Array.of(...end, ...hash.digest());
}

function hashed(hash: Hash, bytes: Uint8Array): Uint8Array {
  hash.update(bytes);
  return bytes;
}

function head(image: InstanceImage, names: readonly string[]): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(image.moduleHash))
    throw new SnapshotMismatchError("the module hash", image.moduleHash, "64 hexadecimal digits");
  if (names.length > MOST_SECTIONS)
    throw new SnapshotMismatchError(
      "the number of sections",
      String(names.length),
      `at most ${MOST_SECTIONS}`,
    );
  const { requestId, op, args } = image.pending;
  const header: SnapshotHeader = {
    module: Uint8Array.from(Buffer.from(image.moduleHash, "hex")),
    profile: image.profile,
    pending: [requestId, op, args],
    sections: names.map((name) => [name, image.sections[name]?.length ?? 0] as const),
  };
  const content = encode(header);
  const bytes = new Uint8Array(PREFIX_BYTES + content.length);
  bytes.set([...SNAPSHOT_MAGIC, SNAPSHOT_VERSION]);
  new DataView(bytes.buffer).setUint32(5, content.length, true);
  bytes.set(content, PREFIX_BYTES);
  return bytes;
}

/** The frame for one block, or undefined when all of it is zero. */
function pagesFrame(
  section: number,
  content: Uint8Array,
  start: number,
  compress: boolean,
): Uint8Array | undefined {
  const bitmap = new Uint8Array(BITMAP_BYTES);
  const packed = new Uint8Array(Math.min(FRAME_BYTES, content.length - start));
  let length = 0;
  for (let page = 0; page < FRAME_PAGES; page++) {
    const size = pageBytes(start, page, content.length);
    const from = start + page * SNAPSHOT_PAGE_BYTES;
    if (size === 0) break;
    const bytes = content.subarray(from, from + size);
    if (isZeroPage(bytes)) continue;
    bitmap[page >> 3] = (bitmap[page >> 3] as number) | (1 << (page & 7));
    packed.set(bytes, length);
    length += size;
  }
  if (length === 0) return undefined;
  const raw = packed.subarray(0, length);
  const small = compress
    ? zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
    : raw;
  const [encoding, payload] = small.length < raw.length ? [ENCODING.zstd, small] : [ENCODING.raw, raw];
  const frame = new Uint8Array(FRAME_HEAD_BYTES + payload.length);
  frame.set([FRAME.pages, section, encoding, 0]);
  const view = new DataView(frame.buffer);
  view.setUint32(4, start / FRAME_BYTES, true);
  view.setUint32(8, payload.length, true);
  frame.set(bitmap, 12);
  frame.set(payload, FRAME_HEAD_BYTES);
  return frame;
}
