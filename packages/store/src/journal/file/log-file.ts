/**
 * One file of a journal: a header, a checkpoint of all domains as they stood when it was begun, and groups of entries
 * (docs/spec/journal-file.md).
 *
 * F1. A group carries the file's random salt and a number that grows by one over all files, so that neither old bytes nor
 *     anything a user wrote can pass for a group.
 */
import { crc32 } from "node:zlib";
import { JournalNewerError } from "../errors.ts";
import { ByteReader, ByteWriter, ShortBytes } from "./bytes.ts";
import type { JournalFile } from "./files.ts";

const FILE_MAGIC = 0x464a4c47; // "GLJF", little-endian
const GROUP_MAGIC = 0x474a4c47; // "GLJG"
/** The version of the file format this code writes and reads. */
export const FILE_VERSION = 1;
/** Bytes before the checkpoint. */
export const FILE_HEAD = 64;
/** Bytes of a group before its body. */
export const GROUP_HEAD = 32;
/** Bytes of the random salt of a file. */
export const SALT_BYTES = 8;

const HEAD_SUM_AT = FILE_HEAD - 4;
const GROUP_SUM_AT = GROUP_HEAD - 4;
const NAME = /^[0-9]{8}\.journal$/;

/** The name of the file with this number. */
export function fileName(number: number): string {
  return `${String(number).padStart(8, "0")}.journal`;
}

/** The numbers of journal files among names, ascending. */
export function fileNumbers(names: readonly string[]): readonly number[] {
  return names
    .filter((name) => NAME.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}

/** What a file's header says. */
export interface FileHead {
  readonly number: number;
  /** The position in the whole log of the file's first group. */
  readonly start: number;
  /** The number of its first group. */
  readonly firstGroup: number;
  readonly salt: Uint8Array;
  readonly checkpoint: Uint8Array;
}

/** Header and checkpoint as bytes. */
export function encodeHead({ number, start, firstGroup, salt, checkpoint }: FileHead): Uint8Array {
  const head = new ByteWriter(FILE_HEAD + checkpoint.length);
  head.u32(FILE_MAGIC);
  head.u32(FILE_VERSION);
  head.u64(number);
  head.u64(start);
  head.u64(firstGroup);
  head.raw(salt);
  head.u32(checkpoint.length);
  head.u32(crc32(checkpoint));
  head.raw(new Uint8Array(HEAD_SUM_AT - head.length));
  head.u32(crc32(head.bytes));
  head.raw(checkpoint);
  return head.bytes;
}

/** The header and checkpoint of a file; `undefined` when they are not whole. @throws `store.journal-newer`. */
export function readHead(file: JournalFile, name: string): FileHead | undefined {
  const bytes = file.read(0, FILE_HEAD);
  if (bytes.length < FILE_HEAD) return undefined;
  const head = new ByteReader(bytes);
  if (head.u32() !== FILE_MAGIC) return undefined;
  const version = head.u32();
  const sound = crc32(bytes.subarray(0, HEAD_SUM_AT)) === new ByteReader(bytes.subarray(HEAD_SUM_AT)).u32();
  if (sound && version > FILE_VERSION) throw new JournalNewerError(name, version, FILE_VERSION);
  if (!sound) return undefined;
  const [number, start, firstGroup] = [head.u64(), head.u64(), head.u64()];
  const salt = head.raw(SALT_BYTES);
  const checkpoint = file.read(FILE_HEAD, head.u32());
  if (crc32(checkpoint) !== head.u32()) return undefined;
  return { number, start, firstGroup, salt, checkpoint };
}

/** Begin a group: room for its header, filled in by {@link finishGroup}. */
export function beginGroup(group: ByteWriter): void {
  group.clear();
  group.raw(new Uint8Array(GROUP_HEAD));
}

/** Fill in the header of the group in `group`. */
export function finishGroup(
  group: ByteWriter,
  salt: Uint8Array,
  number: number,
  entries: number,
): Uint8Array {
  const { bytes } = group;
  const head = new ByteWriter(GROUP_HEAD);
  head.u32(GROUP_MAGIC);
  head.u32(bytes.length - GROUP_HEAD);
  head.u64(number);
  head.raw(salt);
  head.u32(entries);
  head.u32(crc32(bytes.subarray(GROUP_HEAD), crc32(head.bytes)));
  bytes.set(head.bytes);
  return bytes;
}

/** A group found in a file. */
export interface FoundGroup {
  readonly number: number;
  readonly entries: number;
  readonly body: Uint8Array;
}

/** The sound group with the file's salt at `at` of the file's bytes, whatever its number; `undefined` when there is none (F1). */
export function groupAt(data: Uint8Array, at: number, salt: Uint8Array): FoundGroup | undefined {
  if (data.length - at < GROUP_HEAD) return undefined;
  const head = new ByteReader(data.subarray(at));
  if (head.u32() !== GROUP_MAGIC) return undefined;
  const length = head.u32();
  if (length > head.left) return undefined;
  const number = readNumber(head);
  if (number === undefined || !Buffer.from(salt).equals(head.raw(SALT_BYTES))) return undefined;
  const entries = head.u32();
  const sum = head.u32();
  if (length > head.left) return undefined;
  const body = head.raw(length);
  if (crc32(body, crc32(data.subarray(at, at + GROUP_SUM_AT))) !== sum) return undefined;
  return { number, entries, body };
}

function readNumber(from: ByteReader): number | undefined {
  try {
    return from.u64();
  } catch (error) {
    if (error instanceof ShortBytes) return undefined;
    throw error;
  }
}
