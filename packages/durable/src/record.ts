/**
 * Records of a durable domain as values and as bytes (docs/spec/journal.md): what came into the domain, what it asked of the world,
 * and its end.
 *
 * R1. What is read is what the program gets: also in the process that wrote it, a value is used as it comes out of its record.
 * R2. A value is plain data of at most {@link VALUE_BYTES}; anything else is refused before it is recorded.
 */
import { type ErrorRecord, RemoteError, toErrorRecord } from "@glia-os/abi/errors";
import type { ServiceKind } from "@glia-os/kernel/services";
import { decodeFirst, encode, rfc8949EncodeOptions, Tagged } from "cborg";
import { NotRecordableError } from "./errors.ts";
import {
  beginRecord,
  isSmall,
  MAJOR,
  recordLength,
  takeRecord,
  writeBytes,
  writeHead,
  writeList,
  writeRaw,
  writeSmall,
} from "./record-arena.ts";
import { hashOf, type RecordRow, readRow } from "./record-reader.ts";

/** The most bytes one recorded value takes: 1 MiB. */
export const VALUE_BYTES = 1_048_576;
/** Marks a failure where a result could be: `[code, message, changed, fix, retryable, details]`. */
const FAILURE_TAG = 40_001;

/** The numbers of the kinds that are written. */
export const KIND = { exit: 1, intent: 2, resume: 3, spawn: 4, message: 5, time: 7, cancel: 8 } as const;

/** Where a task stands in its domain: spawn indices from the root, which has none. */
export type TaskPath = readonly number[];

/** How something ended, as it is recorded. */
export type Outcome =
  | { readonly failed: false; readonly value: unknown }
  | { readonly failed: true; readonly error: ErrorRecord };

/** How a domain began: what its root task is and gets. */
export interface Beginning {
  readonly program: string;
  readonly input: unknown;
  /** Names and kinds of the services whose handles the root task gets, in order. */
  readonly uses: readonly (readonly [name: string, kind: ServiceKind])[];
  /** Sixteen bytes, from which all randomness of the domain comes. */
  readonly seed: Uint8Array;
}

/** One record, without its number. */
export type DurableRecord =
  | { readonly kind: typeof KIND.spawn; readonly beginning: Beginning }
  /** The clock of the domain moved to this time, in milliseconds since the Unix epoch. */
  | { readonly kind: typeof KIND.time; readonly nowMs: number }
  /** A message for the inbox of the domain was accepted. */
  | { readonly kind: typeof KIND.message; readonly payload: unknown }
  /** Somebody asked the domain to end. */
  | { readonly kind: typeof KIND.cancel; readonly reason: unknown }
  /** A task is about to have an effect on the world that may happen once only. */
  | {
      readonly kind: typeof KIND.intent;
      readonly path: TaskPath;
      readonly op: number;
      readonly argsHash: Hash;
    }
  /** What a task asked of the world came to this. */
  | {
      readonly kind: typeof KIND.resume;
      readonly path: TaskPath;
      readonly op: number;
      readonly argsHash: Hash;
      readonly outcome: Outcome;
    }
  /** The root task ended; nothing follows. */
  | { readonly kind: typeof KIND.exit; readonly outcome: Outcome };

/** SHA-256 of what may be recorded of a call's arguments. */
export type Hash = Uint8Array | null;

/** A record that is part of a domain's log. */
export interface NumberedRecord {
  readonly seq: number;
  readonly record: DurableRecord;
  /** Bytes it takes. */
  readonly bytes: number;
}

/** The bytes of a record: a view of bytes that nobody writes again. @throws {NotRecordableError} for a value that is no plain data or too large (R2) */
export function encodeRecord(seq: number, record: DurableRecord): Uint8Array {
  const content = contentOf(record);
  const encoded = isSmall(content) ? undefined : encodedContent(record, content);
  beginRecord();
  writeFront(seq, record);
  const bytes = recordLength() + (encoded?.length ?? 0);
  if (bytes > VALUE_BYTES)
    throw new NotRecordableError(WHAT[record.kind], `it takes ${bytes} bytes of at most ${VALUE_BYTES}`);
  if (encoded === undefined) writeSmall(content);
  else writeRaw(encoded);
  return takeRecord();
}

function encodedContent({ kind }: DurableRecord, content: unknown): Uint8Array {
  try {
    return encode(content, rfc8949EncodeOptions);
  } catch (error) {
    throw new NotRecordableError(WHAT[kind], (error as Error).message);
  }
}

/** The record that begins at a place of some bytes, and how many it takes. @throws what the decoder throws, and {TypeError} for another form */
export function decodeRecord(bytes: Uint8Array, at = 0): NumberedRecord {
  const row = decodeRow(bytes, at);
  return { seq: row.seq, record: recordOf(row), bytes: row.end - at };
}

/** As {@link decodeRecord}, with fewer objects. */
export function decodeRow(bytes: Uint8Array, at: number): RecordRow {
  const known = readRow(bytes, at);
  if (known !== undefined) return known;
  const [row, rest] = decodeFirst(bytes.subarray(at), DECODE) as [unknown, Uint8Array];
  if (!Array.isArray(row) || row.length !== 6 || !Number.isSafeInteger(row[1]))
    throw new TypeError("no record");
  const [kind, seq, path, op, hashIn, outcome] = row as [number, number, TaskPath, number, Hash, unknown];
  return { kind, seq, path, op, hashIn, hashAt: 0, outcome, end: bytes.length - rest.length };
}

/** A record as it comes out of the bytes that were just made of it (R1). */
export function reread<Record extends DurableRecord>(record: Record, bytes: Uint8Array): Record {
  if (record.kind === KIND.resume && !record.outcome.failed && isSmall(record.outcome.value)) return record;
  return decodeRecord(bytes).record as Record;
}

/** A value as it will come out of its record (R1). @throws {NotRecordableError} */
export function recorded(record: DurableRecord): DurableRecord {
  return decodeRecord(encodeRecord(1, record)).record;
}

/** A thrown value as an outcome. */
export function failure(error: unknown): Outcome {
  return { failed: true, error: toErrorRecord(error) };
}

/** What a failed outcome throws. */
export function errorOf(record: ErrorRecord): RemoteError {
  return new RemoteError(record);
}

const DECODE = { strict: true, tags: Tagged.preserve(FAILURE_TAG) };
const ROOT: TaskPath = [];
/** The number of the syscall `exit`, whose record an end is. */
const EXIT = 11;
const WHAT: Readonly<Record<DurableRecord["kind"], string>> = {
  [KIND.exit]: "the result",
  [KIND.intent]: "an intent",
  [KIND.resume]: "what a service answered",
  [KIND.spawn]: "the input",
  [KIND.message]: "the message",
  [KIND.time]: "the time",
  [KIND.cancel]: "the reason",
};

function writeFront(seq: number, record: DurableRecord): void {
  const { kind } = record;
  const asks = kind === KIND.intent || kind === KIND.resume;
  writeHead(MAJOR.array, 6);
  writeHead(MAJOR.unsigned, kind);
  writeHead(MAJOR.unsigned, seq);
  writeList(asks ? record.path : ROOT);
  writeHead(MAJOR.unsigned, asks ? record.op : kind === KIND.exit ? EXIT : 0);
  writeBytes(asks ? record.argsHash : null);
}

function contentOf(record: DurableRecord): unknown {
  switch (record.kind) {
    case KIND.spawn: {
      const { program, input, uses, seed } = record.beginning;
      return [program, input, uses, seed];
    }
    case KIND.time:
      return record.nowMs;
    case KIND.message:
      return record.payload;
    case KIND.cancel:
      return record.reason;
    case KIND.intent:
      return null;
    case KIND.resume:
    case KIND.exit:
      return formOf(record.outcome);
  }
}

function formOf(outcome: Outcome): unknown {
  if (!outcome.failed) return outcome.value;
  const { code, message, changed, fix, retryable, details = {} } = outcome.error;
  return new Tagged(FAILURE_TAG, [code, message, changed, fix, retryable, details]);
}

/** A row as the record it is. @throws {TypeError} for an unknown kind */
export function recordOf(row: RecordRow): DurableRecord {
  const { kind, path, op, outcome } = row;
  switch (kind) {
    case KIND.spawn: {
      const [program, input, uses, seed] = outcome as [string, unknown, Beginning["uses"], Uint8Array];
      return { kind, beginning: { program, input, uses, seed } };
    }
    case KIND.time:
      return { kind, nowMs: outcome as number };
    case KIND.message:
      return { kind, payload: outcome };
    case KIND.cancel:
      return { kind, reason: outcome };
    case KIND.intent:
      return { kind, path, op, argsHash: hashOf(row) };
    case KIND.resume:
      return { kind, path, op, argsHash: hashOf(row), outcome: outcomeOf(outcome) };
    case KIND.exit:
      return { kind, outcome: outcomeOf(outcome) };
    default:
      throw new TypeError(`record of unknown kind ${kind}`);
  }
}

/** What an outcome was recorded as. */
export function outcomeOf(form: unknown): Outcome {
  if (!(form instanceof Tagged)) return { failed: false, value: form };
  const [code, message, changed, fix, retryable, details] = form.value as [
    string,
    string,
    string,
    string,
    boolean,
    Readonly<Record<string, unknown>>,
  ];
  return { failed: true, error: { code, message, changed, fix, retryable, details } };
}
