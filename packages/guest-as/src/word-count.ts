/**
 * The messages of the word-count guest (`@glia-os/guest-as/guests/word-count.wasm`); their bytes are in docs/guests.md.
 *
 * Q1. Chunks of one agent are numbered from 1 without gaps; the guest counts numbers it did not see as lost and numbers it has
 *     seen as duplicated, and applies each chunk at most once.
 */
import { MalformedError } from "@glia-os/abi/errors";

/** Longest content of one chunk, in bytes. */
export const CHUNK_BYTES = 65_536;
/** Bytes of a chunk message before its content. */
export const CHUNK_HEADER_BYTES = 16;
/** Words longer than this many bytes of lower-cased UTF-8 are shown as their first {@link PREFIX_BYTES} bytes. */
export const WORD_BYTES = 64;
/** Most bytes shown of a longer word; the cut is between two code points. */
export const PREFIX_BYTES = 40;
/** Distinct words counted exactly unless a smaller limit is configured. */
export const EXACT_WORDS = 1_000_000;

/** One piece of a file. */
export interface WordCountChunk {
  /** From 1, grows by one with every chunk sent to the agent. */
  readonly sequence: number | bigint;
  /** The file's index, a u32. */
  readonly fileIndex: number;
  /** Whether the piece begins its file. */
  readonly first: boolean;
  /** Whether the piece ends its file: the word that is being read ends with it. */
  readonly last: boolean;
  /** At most {@link CHUNK_BYTES} bytes; may be empty. */
  readonly bytes: Uint8Array;
}

/** A frequent word: its lower-case form, its count, and for a word longer than {@link WORD_BYTES} its length in bytes. */
export type TopWord =
  | readonly [word: string, count: number]
  | readonly [prefix: string, count: number, bytes: number];

/** What a report says. Words that are still being read (a file without its last piece) are not counted yet. */
export interface WordCountReport {
  /** First pieces seen. */
  readonly files: number;
  readonly bytes: number;
  readonly lines: number;
  readonly words: number;
  /** Chunks applied, numbers jumped over, and chunks that had been applied already. */
  readonly applied: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Messages that were no chunk, report or configuration. */
  readonly malformed: number;
  /** Distinct words, or counters in use once `topApproximate`. */
  readonly distinct: number;
  /** Whether there were more distinct words than counters, so that counts in `top` may be too high. */
  readonly topApproximate: boolean;
  /** By how much at most; 0 when exact. Never too low. */
  readonly topError: number;
  /** The ten most frequent words; ties in code point order of the text that is shown, then by length. */
  readonly top: readonly TopWord[];
}

/** A chunk as a message. @throws MalformedError when a field is out of range */
export function encodeChunk(chunk: WordCountChunk): Uint8Array {
  const { fileIndex, bytes } = chunk;
  const sequence = BigInt(chunk.sequence);
  if (bytes.length > CHUNK_BYTES)
    throw new MalformedError("the chunk", `a chunk holds at most ${CHUNK_BYTES} bytes, not ${bytes.length}`);
  if (sequence < 1n || sequence >= 1n << 64n)
    throw new MalformedError("the chunk", `the sequence ${sequence} is not from 1 to 2^64 - 1`);
  if (!Number.isInteger(fileIndex) || fileIndex < 0 || fileIndex > 0xffff_ffff)
    throw new MalformedError("the chunk", `the file index ${fileIndex} is not a u32`);
  const message = new Uint8Array(CHUNK_HEADER_BYTES + bytes.length);
  const view = new DataView(message.buffer);
  message[0] = KIND.chunk;
  message[1] = (chunk.first ? 1 : 0) | (chunk.last ? 2 : 0);
  view.setUint32(4, fileIndex, true);
  view.setBigUint64(8, sequence, true);
  message.set(bytes, CHUNK_HEADER_BYTES);
  return message;
}

/** The message that asks for a report; its reply is for {@link decodeReport}. */
export function encodeReportRequest(): Uint8Array {
  return Uint8Array.of(KIND.report);
}

/** The message that lowers the number of words counted exactly; only before the first chunk. @throws MalformedError */
export function encodeLimit(words: number): Uint8Array {
  if (!Number.isInteger(words) || words < 1 || words > EXACT_WORDS)
    throw new MalformedError("the configuration", `the limit ${words} is not from 1 to ${EXACT_WORDS}`);
  const message = new Uint8Array(8);
  message[0] = KIND.limit;
  new DataView(message.buffer).setUint32(4, words, true);
  return message;
}

/** A report from the guest's reply. @throws MalformedError when it is none */
export function decodeReport(reply: Uint8Array): WordCountReport {
  const value = parsed(reply);
  if (!isReport(value)) throw new MalformedError("the reply", "it is not a word-count report");
  return value;
}

const KIND = { chunk: 1, report: 2, limit: 3 } as const;
const NUMBERS = [
  "files",
  "bytes",
  "lines",
  "words",
  "applied",
  "lost",
  "duplicated",
  "malformed",
  "distinct",
  "topError",
];

function isReport(value: unknown): value is WordCountReport {
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Record<string, unknown>;
  const counted = NUMBERS.every((name) => Number.isSafeInteger(fields[name]));
  return (
    counted &&
    typeof fields["topApproximate"] === "boolean" &&
    Array.isArray(fields["top"]) &&
    fields["top"].every(isTopWord)
  );
}

function isTopWord(entry: unknown): boolean {
  if (!Array.isArray(entry) || entry.length < 2 || entry.length > 3) return false;
  const [word, ...numbers] = entry as unknown[];
  return typeof word === "string" && numbers.every(Number.isSafeInteger);
}

function parsed(reply: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(reply));
  } catch (cause) {
    throw new MalformedError(
      "the reply",
      `it is not JSON (${cause instanceof Error ? cause.message : "unreadable"})`,
    );
  }
}
