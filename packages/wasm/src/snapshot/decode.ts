/**
 * Reads the byte form of a snapshot, piece by piece, from a source that is not trusted.
 *
 * D1. Every declared size is checked against a limit before memory is set aside for it.
 * D2. Frames come in strictly rising order of (section, block); a page is written at most once.
 * D3. Nothing is handed out before the digest over all bytes has been checked. The digest detects damage; it proves nothing
 *     about who made the snapshot.
 * D4. After a refusal the decoder refuses everything.
 * D5. An increment is read against the one state its header names, and no other.
 */
import { createHash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import type { InstanceImage, PendingCall } from "@glia-os/abi/ports";
import { INCREMENT_MAGIC, SNAPSHOT_MAGIC, SNAPSHOT_PAGE_BYTES, SNAPSHOT_VERSION } from "@glia-os/abi/wire";
import { decode } from "cborg";
import {
  SnapshotCorruptError,
  SnapshotMismatchError,
  SnapshotTooBigError,
  SnapshotVersionError,
} from "../errors.ts";
import { copySparse } from "../sparse-copy.ts";
import { exclusiveOr } from "./exclusive-or.ts";
import {
  DIGEST_BYTES,
  ENCODING,
  FRAME,
  FRAME_BYTES,
  FRAME_HEAD_BYTES,
  FRAME_PAGES,
  MOST_HEADER_BYTES,
  MOST_SECTIONS,
  PREFIX_BYTES,
  pageBytes,
  type SnapshotHeader,
} from "./format.ts";
import { PartReader } from "./part-reader.ts";
import { readZeroRuns } from "./zero-runs.ts";

/** How much a decoder may set aside. */
export interface DecodeLimits {
  /** Most bytes of all sections together. Default 256 MiB. */
  readonly imageBytes?: number;
}

/** What an increment is read against (increment.ts). */
export interface Checkpoint {
  readonly image: InstanceImage;
  /** SHA-256 as hexadecimal that names this state. */
  readonly id: string;
}

/** A frame whose payload is awaited. */
interface FrameHead {
  readonly target: Uint8Array;
  readonly start: number;
  readonly bitmap: Uint8Array;
  readonly size: number;
  readonly encoding: number;
}

const IMAGE_BYTES = 256 * 1024 * 1024;

/** Gives bytes for a section that hold what the base has in it, cut off or filled up with zeros to the length; undefined: no such place. */
export type SectionPlace = (name: string, length: number) => Uint8Array | undefined;

/** Takes the bytes of one snapshot, or of one increment to `base`, in pieces of any size and gives the image. */
export class SnapshotDecoder {
  readonly #imageBytes: number;
  readonly #base: Checkpoint | undefined;
  readonly #place: SectionPlace | undefined;
  readonly #hash = createHash("sha256");
  readonly #parts: PartReader<this> = new PartReader(this, PREFIX_BYTES, this.#prefix);
  #header: SnapshotHeader | undefined;
  #sections: Uint8Array[] = [];
  #last = -1;
  #frame: FrameHead | undefined;
  #done = false;
  #failed: unknown;

  /** With `place`, sections of an increment are put together where it says. */
  constructor(limits: DecodeLimits = {}, base?: Checkpoint, place?: SectionPlace) {
    this.#imageBytes = limits.imageBytes ?? IMAGE_BYTES;
    this.#base = base;
    this.#place = place;
  }

  /**
   * Take the next piece. Memory held: the sections declared, and at most one frame.
   * @throws SnapshotCorruptError, SnapshotVersionError, SnapshotTooBigError
   */
  push(piece: Uint8Array): void {
    if (this.#failed !== undefined) throw this.#failed;
    try {
      let rest = piece;
      while (rest.length > 0) {
        if (this.#done) throw new SnapshotCorruptError("bytes follow its end");
        rest = this.#parts.take(rest);
      }
    } catch (error) {
      this.#failed = error;
      this.#sections = [];
      this.#parts.forget();
      throw error;
    }
  }

  /** The image. @throws SnapshotCorruptError when bytes are missing; whatever a push refused */
  finish(): InstanceImage {
    if (this.#failed !== undefined) throw this.#failed;
    const header = this.#header;
    if (!this.#done || header === undefined) throw new SnapshotCorruptError("it ends too early");
    const [requestId, op, args] = header.pending;
    const pending: PendingCall = { requestId, op, args };
    const sections = Object.fromEntries(
      header.sections.map(([name], index) => [name, this.#sections[index] as Uint8Array]),
    );
    return {
      moduleHash: Buffer.from(header.module).toString("hex"),
      profile: header.profile,
      pending,
      sections,
    };
  }

  #prefix(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const magic = this.#base === undefined ? SNAPSHOT_MAGIC : INCREMENT_MAGIC;
    const kind = this.#base === undefined ? "a snapshot" : "an increment";
    if (magic.some((byte, at) => bytes[at] !== byte))
      throw new SnapshotCorruptError(`it does not start as ${kind} does`);
    if (bytes[4] !== SNAPSHOT_VERSION) throw new SnapshotVersionError(bytes[4] as number, SNAPSHOT_VERSION);
    const length = viewOf(bytes).getUint32(5, true);
    if (length === 0 || length > MOST_HEADER_BYTES)
      throw new SnapshotCorruptError(`its header claims ${length} bytes`);
    this.#parts.expect(length, this.#headerBytes);
  }

  #headerBytes(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#header = decodeHeader(bytes, this.#base !== undefined);
    if (this.#base !== undefined) requireBase(this.#header, this.#base);
    const total = this.#header.sections.reduce((sum, [, length]) => sum + length, 0);
    if (total > this.#imageBytes) throw new SnapshotTooBigError(total, this.#imageBytes);
    this.#sections = this.#header.sections.map(
      ([name, length]) => this.#place?.(name, length) ?? this.#startOf(name, length),
    );
    this.#parts.expect(1, this.#kind);
  }

  /** What a section is before any frame: zeros, or the base's section cut or filled up with zeros. */
  #startOf(name: string, length: number): Uint8Array {
    const section = new Uint8Array(length);
    const before = this.#base === undefined ? undefined : sectionIn(this.#base.image, name);
    if (before !== undefined) copySparse(section.subarray(0, before.length), before.subarray(0, length));
    return section;
  }

  #kind(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    if (bytes[0] === FRAME.end) this.#parts.expect(DIGEST_BYTES, this.#digest);
    else if (bytes[0] === FRAME.pages) this.#parts.expect(FRAME_HEAD_BYTES - 1, this.#frameHead);
    else throw new SnapshotCorruptError(`a frame has the kind ${bytes[0]}`);
  }

  #frameHead(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const view = viewOf(bytes);
    const [index = 0, encoding = 0, zero = 0] = bytes;
    const target = this.#sections[index];
    const block = view.getUint32(3, true);
    const length = view.getUint32(7, true);
    const start = block * FRAME_BYTES;
    if (target === undefined || start >= target.length)
      throw new SnapshotCorruptError("a frame lies outside its section");
    const order = index * 2 ** 32 + block;
    if (order <= this.#last) throw new SnapshotCorruptError("its frames are out of order");
    this.#last = order;
    const bitmap = bytes.slice(11);
    const size = markedBytes(bitmap, start, target.length);
    const fits = encoding === ENCODING.raw ? length === size : length > 0 && length < size;
    const known = encoding <= ENCODING.zstd || (encoding === ENCODING.runs && this.#base !== undefined);
    if (zero !== 0 || !known || !fits) throw new SnapshotCorruptError("a frame does not fit its pages");
    this.#frame = { target, start, bitmap, size, encoding };
    this.#parts.expect(length, this.#payload);
  }

  #payload(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const frame = this.#frame as FrameHead;
    if (frame.encoding === ENCODING.runs) mergeRuns(frame, bytes);
    else {
      const pages = frame.encoding === ENCODING.raw ? bytes : decompress(bytes, frame.size);
      if (this.#base === undefined) placePages(frame, pages);
      else mergePages(frame, pages);
    }
    this.#frame = undefined;
    this.#parts.expect(1, this.#kind);
  }

  #digest(bytes: Uint8Array): void {
    if (!this.#hash.digest().equals(bytes))
      throw new SnapshotCorruptError("its digest does not match its content");
    this.#done = true;
  }
}

/** Decode a snapshot that is in memory as a whole. @throws as {@link SnapshotDecoder} */
export function decodeSnapshot(bytes: Uint8Array, limits: DecodeLimits = {}): InstanceImage {
  const decoder = new SnapshotDecoder(limits);
  decoder.push(bytes);
  return decoder.finish();
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function marked(bitmap: Uint8Array, page: number): boolean {
  return ((bitmap[page >> 3] as number) & (1 << (page & 7))) !== 0;
}

/** Bytes of the marked pages. @throws SnapshotCorruptError when none is marked or one lies outside */
function markedBytes(bitmap: Uint8Array, start: number, length: number): number {
  let size = 0;
  for (let page = 0; page < FRAME_PAGES; page++) {
    if (!marked(bitmap, page)) continue;
    const bytes = pageBytes(start, page, length);
    if (bytes === 0) throw new SnapshotCorruptError("a page lies outside its section");
    size += bytes;
  }
  if (size === 0) throw new SnapshotCorruptError("a frame without pages");
  return size;
}

/** Where the marked pages of a frame begin in its section. */
function pagesOf({ start, bitmap }: FrameHead): number[] {
  const starts: number[] = [];
  for (let page = 0; page < FRAME_PAGES; page++)
    if (marked(bitmap, page)) starts.push(start + page * SNAPSHOT_PAGE_BYTES);
  return starts;
}

function placePages(frame: FrameHead, pages: Uint8Array): void {
  for (const [index, at] of pagesOf(frame).entries()) {
    const from = index * SNAPSHOT_PAGE_BYTES;
    frame.target.set(pages.subarray(from, from + SNAPSHOT_PAGE_BYTES), at);
  }
}

function mergePages(frame: FrameHead, pages: Uint8Array): void {
  for (const [index, at] of pagesOf(frame).entries()) {
    const from = index * SNAPSHOT_PAGE_BYTES;
    const change = pages.subarray(from, from + SNAPSHOT_PAGE_BYTES);
    const place = frame.target.subarray(at, at + change.length);
    exclusiveOr(place, place, change);
  }
}

/** As {@link mergePages}, and only the bytes that change: most increments change a few in each of many pages. */
function mergeRuns(frame: FrameHead, form: Uint8Array): void {
  const { target, size } = frame;
  const starts = pagesOf(frame);
  const read = readZeroRuns(form, size, (to, from, count) => {
    for (let done = 0; done < count; ) {
      const inPage = (to + done) % SNAPSHOT_PAGE_BYTES;
      const at = (starts[Math.floor((to + done) / SNAPSHOT_PAGE_BYTES)] as number) + inPage;
      const end = Math.min(count, done + SNAPSHOT_PAGE_BYTES - inPage);
      exclusiveOrAt(target, at, form, from + done, end - done);
      done = end;
    }
  });
  if (!read) throw new SnapshotCorruptError("a frame cannot be read");
}

/** In a function of its own, which stays quick whatever becomes of its callers. */
function exclusiveOrAt(
  target: Uint8Array,
  at: number,
  change: Uint8Array,
  from: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) target[at + i] = (target[at + i] as number) ^ (change[from + i] as number);
}

function decompress(bytes: Uint8Array, size: number): Uint8Array {
  let pages: Uint8Array;
  try {
    pages = zstdDecompressSync(bytes, { maxOutputLength: size });
  } catch (cause) {
    throw new SnapshotCorruptError("a frame cannot be decompressed", cause);
  }
  if (pages.length !== size) throw new SnapshotCorruptError("a frame is shorter than its pages");
  return pages;
}

/** A section by name; names come from untrusted headers. */
export function sectionIn({ sections }: InstanceImage, name: string): Uint8Array | undefined {
  return Object.hasOwn(sections, name) ? sections[name] : undefined;
}

/** @throws SnapshotMismatchError */
function requireBase({ base, module, profile }: SnapshotHeader, { id, image }: Checkpoint): void {
  const wanted = Buffer.from(base ?? []).toString("hex");
  if (wanted !== id) throw new SnapshotMismatchError("the base", id, wanted);
  const hash = Buffer.from(module).toString("hex");
  if (hash !== image.moduleHash) throw new SnapshotMismatchError("the module", hash, image.moduleHash);
  if (profile !== image.profile) throw new SnapshotMismatchError("the profile", profile, image.profile);
}

const KEYS = ["module", "pending", "profile", "sections"];

function decodeHeader(bytes: Uint8Array, increment: boolean): SnapshotHeader {
  let value: unknown;
  try {
    value = decode(bytes, {
      strict: true,
      rejectDuplicateMapKeys: true,
      allowUndefined: false,
      allowBigInt: false,
    });
  } catch (cause) {
    throw new SnapshotCorruptError("its header is not CBOR", cause);
  }
  const keys = increment ? ["base", ...KEYS] : KEYS;
  if (typeof value !== "object" || value === null || Object.keys(value).sort().join() !== keys.join())
    throw new SnapshotCorruptError("its header has not the keys of version 1");
  const { base, module, profile, pending, sections } = value as Record<string, unknown>;
  if (increment && !(base instanceof Uint8Array && base.length === DIGEST_BYTES))
    throw new SnapshotCorruptError("its header names no base");
  if (
    !(module instanceof Uint8Array) ||
    module.length !== 32 ||
    typeof profile !== "string" ||
    profile.length > 64
  )
    throw new SnapshotCorruptError("its header names no module and profile");
  return {
    ...(increment ? { base: base as Uint8Array } : {}),
    module,
    profile,
    pending: decodePending(pending),
    sections: decodeSections(sections),
  };
}

function decodePending(value: unknown): SnapshotHeader["pending"] {
  if (!Array.isArray(value) || value.length !== 3)
    throw new SnapshotCorruptError("its header has no pending call");
  const [requestId, op, args] = value as unknown[];
  const named = typeof op === "string" && op.length <= 64 && Number.isSafeInteger(requestId);
  if (!named || !Array.isArray(args) || args.length > 16 || !args.every(Number.isSafeInteger))
    throw new SnapshotCorruptError("its pending call is malformed");
  return [requestId as number, op, args as number[]];
}

function decodeSections(value: unknown): SnapshotHeader["sections"] {
  if (!Array.isArray(value) || value.length > MOST_SECTIONS)
    throw new SnapshotCorruptError("its header lists no sections");
  let previous = "";
  return value.map((entry: unknown) => {
    const [name, length] = Array.isArray(entry) && entry.length === 2 ? (entry as unknown[]) : [];
    const named = typeof name === "string" && /^[a-z][a-z-]{0,31}$/.test(name) && name > previous;
    if (!named || !Number.isSafeInteger(length) || (length as number) < 0)
      throw new SnapshotCorruptError("its list of sections is malformed");
    previous = name;
    return [name, length as number] as const;
  });
}
