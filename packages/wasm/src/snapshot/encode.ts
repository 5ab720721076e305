/** Writes an instance's state as bytes, piece by piece. */
import { createHash } from "node:crypto";
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
  const header = headerOf(image);
  const prefix = prefixed(SNAPSHOT_MAGIC, SNAPSHOT_VERSION, header);
  const hash = createHash("sha256");
  for (const piece of unsealed(prefix, image, header, copyWritten, packerFor(options))) {
    hash.update(piece);
    yield piece;
  }
  yield hash.digest();
}

/** Puts page `from` to `from + size` of a section at the start of `target`, or says that it is left out. */
export type PageWriter = (section: Section, from: number, size: number, target: Uint8Array) => boolean;

/** A section being written. */
export interface Section {
  readonly name: string;
  readonly content: Uint8Array;
}

const copyWritten: PageWriter = ({ content }, from, size, target) => {
  const bytes = content.subarray(from, from + size);
  if (isZeroPage(bytes)) return false;
  target.set(bytes);
  return true;
};

/** How the payload of a frame is written: as ENCODING says, and its bytes. */
export type Packer = (raw: Uint8Array) => readonly [encoding: number, payload: Uint8Array];

const keep: Packer = (raw) => [ENCODING.raw, raw];

/** Compressed, where that is shorter. */
const shrink: Packer = (raw) => {
  const small = zstdCompressSync(raw, ZSTD);
  return small.length < raw.length ? [ENCODING.zstd, small] : keep(raw);
};

const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** As the options say. */
export function packerFor({ compress = true }: EncodeOptions): Packer {
  return compress ? shrink : keep;
}

/** Prefix, frames and end frame: everything before the digest. */
export function* unsealed(
  prefix: Uint8Array,
  image: InstanceImage,
  header: SnapshotHeader,
  write: PageWriter,
  pack: Packer,
): Generator<Uint8Array, void, undefined> {
  yield prefix;
  for (const [index, [name, length]] of header.sections.entries()) {
    const section = { name, content: image.sections[name] as Uint8Array };
    for (let start = 0; start < length; start += FRAME_BYTES) {
      const frame = pagesFrame(index, section, start, write, pack);
      if (frame !== undefined) yield frame;
    }
  }
  yield Uint8Array.of(FRAME.end);
}

/** The header of an image. @throws SnapshotMismatchError when the image is not one a snapshot can hold */
export function headerOf(image: InstanceImage): SnapshotHeader {
  const names = Object.keys(image.sections).sort();
  if (!/^[0-9a-f]{64}$/.test(image.moduleHash))
    throw new SnapshotMismatchError("the module hash", image.moduleHash, "64 hexadecimal digits");
  if (names.length > MOST_SECTIONS)
    throw new SnapshotMismatchError(
      "the number of sections",
      String(names.length),
      `at most ${MOST_SECTIONS}`,
    );
  const { requestId, op, args } = image.pending;
  return {
    module: Uint8Array.from(Buffer.from(image.moduleHash, "hex")),
    profile: image.profile,
    pending: [requestId, op, args],
    sections: names.map((name) => [name, image.sections[name]?.length ?? 0] as const),
  };
}

/** Magic, version, length and header. */
export function prefixed(magic: readonly number[], version: number, header: SnapshotHeader): Uint8Array {
  const content = encode(header);
  const bytes = new Uint8Array(PREFIX_BYTES + content.length);
  bytes.set([...magic, version]);
  new DataView(bytes.buffer).setUint32(5, content.length, true);
  bytes.set(content, PREFIX_BYTES);
  return bytes;
}

/** Where the pages of a frame are gathered; a frame holds a copy. */
let scratch: Uint8Array | undefined;

/** The frame for one block, or undefined when all of it is left out. */
function pagesFrame(
  index: number,
  section: Section,
  start: number,
  write: PageWriter,
  pack: Packer,
): Uint8Array | undefined {
  const bitmap = new Uint8Array(BITMAP_BYTES);
  const bytes = section.content.length;
  scratch ??= new Uint8Array(FRAME_BYTES);
  const packed = scratch;
  let length = 0;
  for (let page = 0; page < FRAME_PAGES; page++) {
    const size = pageBytes(start, page, bytes);
    const from = start + page * SNAPSHOT_PAGE_BYTES;
    if (size === 0) break;
    if (!write(section, from, size, packed.subarray(length, length + size))) continue;
    bitmap[page >> 3] = (bitmap[page >> 3] as number) | (1 << (page & 7));
    length += size;
  }
  if (length === 0) return undefined;
  const [encoding, payload] = pack(packed.subarray(0, length));
  const frame = new Uint8Array(FRAME_HEAD_BYTES + payload.length);
  frame.set([FRAME.pages, index, encoding, 0]);
  const view = new DataView(frame.buffer);
  view.setUint32(4, start / FRAME_BYTES, true);
  view.setUint32(8, payload.length, true);
  frame.set(bitmap, 12);
  frame.set(payload, FRAME_HEAD_BYTES);
  return frame;
}
