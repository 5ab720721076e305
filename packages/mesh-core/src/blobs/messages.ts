/** The bodies of the blob exchange (docs/spec/blob-exchange.md). */
import { fromHex, toHex } from "@glia-os/abi/ids";
import { decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";

/** Version of the bodies. */
export const BLOB_VERSION = 1;
/** Bytes of every chunk but the last. */
export const CHUNK_BYTES = 65_536;
/** Largest blob that is exchanged, in bytes. */
export const BLOB_BYTES_MAX = 67_108_864;
/** Blobs in one question. */
export const HASHES_MAX = 64;
const HASH_BYTES = 32;
const CHUNKS_MAX = BLOB_BYTES_MAX / CHUNK_BYTES;

/** The methods. */
export const BLOB_METHODS = { have: "blob.have", outline: "blob.outline", chunk: "blob.chunk" } as const;

/** Size and chunks of a blob as one source states them. */
export interface Outline {
  readonly bytes: number;
  /** SHA-256 of each chunk, as hexadecimal digits. */
  readonly chunks: readonly string[];
}

/** Chunks of a blob of so many bytes. An empty blob has none. */
export function chunkCount(bytes: number): number {
  return Math.ceil(bytes / CHUNK_BYTES);
}

export function haveBody(hashes: readonly string[]): Uint8Array {
  return encodeCbor([BLOB_VERSION, hashes.map((hash) => fromHex(hash))]);
}

/** @throws {MalformedMessageError}. */
export function readHave(body: Uint8Array): string[] {
  const reader = open(body, "a have question");
  const hashes = reader.list("hashes", HASHES_MAX, (item) =>
    toHex(new FieldReader([item], "a hash").bytes("hash", HASH_BYTES, HASH_BYTES)),
  );
  reader.end();
  return hashes;
}

export function haveAnswer(held: readonly boolean[]): Uint8Array {
  return encodeCbor([BLOB_VERSION, held]);
}

/** @throws {MalformedMessageError} also when the answer is not as long as the question. */
export function readHaveAnswer(body: Uint8Array, count: number): boolean[] {
  const reader = open(body, "a have answer");
  const held = reader.list("held", count, (item) => new FieldReader([item], "an answer").bool("held"));
  reader.end();
  if (held.length !== count) throw reader.refuse("held", `not ${count} answers`);
  return held;
}

export function outlineBody(hash: string): Uint8Array {
  return encodeCbor([BLOB_VERSION, fromHex(hash)]);
}

/** @throws {MalformedMessageError}. */
export function readOutlineBody(body: Uint8Array): string {
  const reader = open(body, "an outline question");
  const hash = toHex(reader.bytes("hash", HASH_BYTES, HASH_BYTES));
  reader.end();
  return hash;
}

export function outlineAnswer({ bytes, chunks }: Outline): Uint8Array {
  return encodeCbor([BLOB_VERSION, bytes, fromHex(chunks.join(""))]);
}

/** An outline whose size and number of chunks agree. @throws {MalformedMessageError}. */
export function readOutline(body: Uint8Array): Outline {
  const reader = open(body, "an outline");
  const bytes = reader.int("bytes", BLOB_BYTES_MAX);
  const hashes = reader.bytes("chunks", CHUNKS_MAX * HASH_BYTES);
  reader.end();
  if (hashes.length !== chunkCount(bytes) * HASH_BYTES)
    throw reader.refuse("chunks", `not those of ${bytes} bytes`);
  const chunks: string[] = [];
  for (let at = 0; at < hashes.length; at += HASH_BYTES)
    chunks.push(toHex(hashes.subarray(at, at + HASH_BYTES)));
  return { bytes, chunks };
}

export function chunkBody(hash: string, index: number): Uint8Array {
  return encodeCbor([BLOB_VERSION, fromHex(hash), index]);
}

/** @throws {MalformedMessageError}. */
export function readChunkBody(body: Uint8Array): { readonly hash: string; readonly index: number } {
  const reader = open(body, "a chunk question");
  const hash = toHex(reader.bytes("hash", HASH_BYTES, HASH_BYTES));
  const index = reader.int("index", CHUNKS_MAX - 1);
  reader.end();
  return { hash, index };
}

function open(body: Uint8Array, what: string): FieldReader {
  const reader = new FieldReader(decodeCbor(body, what), what);
  reader.int("version", BLOB_VERSION, BLOB_VERSION);
  return reader;
}
