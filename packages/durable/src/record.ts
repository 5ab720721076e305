/**
 * Records of a durable domain as values and as bytes (docs/spec/journal.md): what came into the domain, what it asked of the world,
 * and its end.
 *
 * R1. What is read is what the program gets: also in the process that wrote it, a value is used as it comes out of its record.
 * R2. A value is plain data of at most {@link VALUE_BYTES}, or of {@link KEPT_BYTES} where there are blobs; anything else is refused before
 *     it is recorded.
 * R3. Where there are blobs, a value of more than {@link INLINE_BYTES} stands in its record by content hash.
 */
import { type ErrorRecord, RemoteError, toErrorRecord } from "@glia-os/abi/errors";
import { decode, decodeFirst, encode, rfc8949EncodeOptions, Tagged } from "cborg";
import type { Beginning, Renewal, Spent } from "./beginning.ts";
import { NotRecordableError } from "./errors.ts";
import { KeptValue } from "./kept-value.ts";
import { encodableForm, formOfParts, type MailboxForm } from "./mailbox-state.ts";
import { encodePlain } from "./plain-encoder.ts";
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
import { factsOf, formOfFacts, type RestartFacts } from "./recovery/restart-facts.ts";

export type { Beginning, Renewal, Spent } from "./beginning.ts";

/** The most bytes one recorded value takes: 1 MiB. */
export const VALUE_BYTES = 1_048_576;
/** The most bytes of a result where there are no blobs: its record has room for its other fields. */
export const RESULT_BYTES: number = VALUE_BYTES - 32;
/** The most bytes of a value that stands in its record where there are blobs: 64 KiB. */
export const INLINE_BYTES = 65_536;
/** The most bytes of a value that is kept as blobs: 16 MiB. */
export const KEPT_BYTES = 16_777_216;
/** Marks a value that is kept as blobs: their SHA-256 one after the other. */
const KEPT_TAG = 40_000;
/** Marks a failure where a result could be: `[code, message, changed, fix, retryable, details]`. */
const FAILURE_TAG = 40_001;

/** The numbers of the kinds that are written. */
export const KIND = {
  exit: 1,
  intent: 2,
  resume: 3,
  spawn: 4,
  message: 5,
  time: 7,
  cancel: 8,
  checkpoint: 10,
  moved: 13,
  mail: 14,
  restart: 15,
  upgraded: 16,
} as const;

/** Where a task stands in its domain: spawn indices from the root, which has none. */
export type TaskPath = readonly number[];

/** How something ended, as it is recorded. */
export type Outcome =
  | { readonly failed: false; readonly value: unknown }
  | { readonly failed: true; readonly error: ErrorRecord };

const NO_COST: Spent = [0, 0, 0, 0, 0];

/** One record, without its number. */
export type DurableRecord =
  | { readonly kind: typeof KIND.spawn; readonly beginning: Beginning }
  /** The clock of the domain moved to this time, in milliseconds since the Unix epoch. */
  | { readonly kind: typeof KIND.time; readonly nowMs: number }
  /** A message for the inbox of the domain was accepted. */
  | { readonly kind: typeof KIND.message; readonly payload: unknown }
  /** A message of another domain was accepted (docs/spec/mail.md). */
  | {
      readonly kind: typeof KIND.mail;
      readonly from: string;
      readonly number: number;
      readonly payload: unknown;
      readonly settled: readonly string[];
      readonly forgotten: readonly string[];
    }
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
  /** The root task ended with a checkpoint, and starts anew. */
  | { readonly kind: typeof KIND.checkpoint; readonly renewal: Renewal }
  /** Other code goes on where the code before came to a boundary: nothing before is needed, and what it did is not judged by the new code. */
  | { readonly kind: typeof KIND.upgraded; readonly renewal: Renewal }
  /** The domain was given away; it is gone on with where it was given to, or where it is taken back. */
  | { readonly kind: typeof KIND.moved; readonly to: string }
  /** The root task failed, and this is how the domain goes on, or that it does not. */
  | { readonly kind: typeof KIND.restart; readonly facts: RestartFacts }
  /** The root task ended; nothing follows. */
  | { readonly kind: typeof KIND.exit; readonly outcome: Outcome };

/** The record of a message of another domain. */
export type MailRecord = DurableRecord & { readonly kind: typeof KIND.mail };

/** SHA-256 of what may be recorded of a call's arguments. */
export type Hash = Uint8Array | null;

/** A record that is part of a domain's log. */
export interface NumberedRecord {
  readonly seq: number;
  readonly record: DurableRecord;
  /** Bytes it takes. */
  readonly bytes: number;
}

/** Where large values are kept while records are written (R3). */
export interface ValueKeeper {
  /** Keep the encoded form of a value. Returns the hashes it is found by, one after the other. */
  keep(encoded: Uint8Array): Uint8Array;
}

/** Where the values of records are found again. */
export interface ValueSource {
  /** What was kept under these hashes. @throws {ValueMissingError} */
  encodedOf(hashes: Uint8Array): Uint8Array;
}

/**
 * The bytes of a record: a view of bytes that nobody writes again. With a keeper, a large value goes there.
 * @throws {NotRecordableError} for a value that is no plain data or too large (R2)
 */
export function encodeRecord(seq: number, record: DurableRecord, keeper?: ValueKeeper): Uint8Array {
  const content = contentOf(record, keeper);
  const encoded = isSmall(content)
    ? undefined
    : (encodePlain(content) ?? inlineOrKept(record, encodedContent(record, content), keeper));
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

/** What stands in the record for an encoded value (R3). */
function inlineOrKept(
  record: DurableRecord,
  encoded: Uint8Array,
  keeper: ValueKeeper | undefined,
): Uint8Array {
  if (keeper === undefined || encoded.length <= INLINE_BYTES) return encoded;
  return encode(new Tagged(KEPT_TAG, kept(record, encoded, keeper)), rfc8949EncodeOptions);
}

function kept({ kind }: DurableRecord, encoded: Uint8Array, keeper: ValueKeeper): Uint8Array {
  if (encoded.length <= KEPT_BYTES) return keeper.keep(encoded);
  throw new NotRecordableError(WHAT[kind], `it takes ${encoded.length} bytes of at most ${KEPT_BYTES}`);
}

/** The encoded form of an outcome. @throws {NotRecordableError} when it is no plain data or has more than `limit` bytes */
export function encodeOutcome(outcome: Outcome, limit: number): Uint8Array {
  const encoded = encodedContent({ kind: KIND.exit, outcome }, formOf(outcome));
  if (encoded.length <= limit) return encoded;
  throw new NotRecordableError(WHAT[KIND.exit], `it takes ${encoded.length} bytes of at most ${limit}`);
}

/**
 * The record that begins at a place of some bytes, and how many it takes. Without a source, a value that is kept as blobs is a
 * {@link KeptValue}. @throws what the decoder throws, {TypeError} for another form, {ValueMissingError}
 */
export function decodeRecord(bytes: Uint8Array, at = 0, source?: ValueSource): NumberedRecord {
  const row = decodeRow(bytes, at, source);
  return { seq: row.seq, record: recordOf(row, source), bytes: row.end - at };
}

/** As {@link decodeRecord}, with fewer objects. */
export function decodeRow(bytes: Uint8Array, at: number, source?: ValueSource): RecordRow {
  const known = readRow(bytes, at);
  if (known !== undefined) return known;
  const [row, rest] = decodeFirst(bytes.subarray(at), DECODE) as [unknown, Uint8Array];
  if (!Array.isArray(row) || row.length !== 6 || !Number.isSafeInteger(row[1]))
    throw new TypeError("no record");
  const [kind, seq, path, op, hashIn, form] = row as [number, number, TaskPath, number, Hash, unknown];
  const outcome = found(form, source);
  return { kind, seq, path, op, hashIn, hashAt: 0, outcome, end: bytes.length - rest.length };
}

/** A value as it was before it was kept as blobs. */
function found(form: unknown, source: ValueSource | undefined): unknown {
  if (!(form instanceof Tagged) || form.tag !== KEPT_TAG) return form;
  const hashes: unknown = form.value;
  if (!(hashes instanceof Uint8Array) || hashes.length === 0 || hashes.length % HASH_BYTES !== 0)
    throw new TypeError("the hashes of a value are no hashes");
  if (source === undefined) return new KeptValue(hashes);
  return decode(source.encodedOf(hashes), DECODE);
}

/** A record as it comes out of the bytes that were just made of it (R1). */
export function reread<Record extends DurableRecord>(
  record: Record,
  bytes: Uint8Array,
  source?: ValueSource,
): Record {
  if (record.kind === KIND.resume && !record.outcome.failed && isSmall(record.outcome.value)) return record;
  return decodeRecord(bytes, 0, source).record as Record;
}

/** A thrown value as an outcome. */
export function failure(error: unknown): Outcome {
  return { failed: true, error: toErrorRecord(error) };
}

/** What a failed outcome throws. */
export function errorOf(record: ErrorRecord): RemoteError {
  return new RemoteError(record);
}

const DECODE = { strict: true, tags: Tagged.preserve(KEPT_TAG, FAILURE_TAG) };
const HASH_BYTES = 32;
const ROOT: TaskPath = [];
/** The number of the syscall `exit`, whose record an end is. */
const EXIT = 11;
const WHAT: Readonly<Record<DurableRecord["kind"], string>> = {
  [KIND.exit]: "the result",
  [KIND.intent]: "an intent",
  [KIND.resume]: "what a service answered",
  [KIND.spawn]: "the input",
  [KIND.message]: "the message",
  [KIND.mail]: "the message",
  [KIND.time]: "the time",
  [KIND.cancel]: "the reason",
  [KIND.moved]: "the new owner",
  [KIND.restart]: "a restart",
  [KIND.checkpoint]: "the state of a checkpoint, or a message that waits beside it,",
  [KIND.upgraded]: "the state of the new code, or a message that waits beside it,",
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

function contentOf(record: DurableRecord, keeper?: ValueKeeper): unknown {
  switch (record.kind) {
    case KIND.spawn: {
      const { program, input, uses, seed } = record.beginning;
      return [program, partOf(record, input, keeper), uses, seed, ...partsOfVersion(record.beginning)];
    }
    case KIND.checkpoint:
    case KIND.upgraded:
      return formOfRenewal(record, record.renewal, keeper);
    case KIND.restart: {
      const { renewal } = record.facts;
      return [
        formOfFacts(record.facts),
        renewal === undefined ? null : formOfRenewal(record, renewal, keeper),
      ];
    }
    case KIND.moved:
      return record.to;
    case KIND.time:
      return record.nowMs;
    case KIND.message:
      return record.payload;
    case KIND.mail: {
      const { from, number, payload, settled, forgotten } = record;
      return [from, number, partOf(record, payload, keeper), settled, forgotten];
    }
    case KIND.cancel:
      return record.reason;
    case KIND.intent:
      return null;
    case KIND.resume:
    case KIND.exit:
      return formOf(record.outcome);
  }
}

function formOfRenewal(record: DurableRecord, renewal: Renewal, keeper: ValueKeeper | undefined): unknown {
  const { beginning, nowMs, inbox, mailbox, ledger } = renewal;
  const { program, input, uses, seed, generation, spent = NO_COST } = beginning;
  const [version = null] = partsOfVersion(beginning);
  const [state, messages] = [partOf(record, input, keeper), partOf(record, inbox, keeper)];
  const front = [program, state, uses, seed, generation, nowMs, messages, spent];
  if (mailbox === undefined && ledger === undefined) return [...front, ...partsOfVersion(beginning)];
  const mail = mailbox === undefined ? null : partOf(record, encodableForm(mailbox), keeper);
  if (ledger === undefined) return [...front, version, mail];
  return [...front, version, mail, partOf(record, ledger, keeper)];
}

/** The version of the code; with its edition, where it has one. */
type VersionForm = string | readonly [version: string | null, edition: string];

function partsOfVersion({ version, edition }: Beginning): readonly VersionForm[] {
  if (edition !== undefined) return [[version ?? null, edition]];
  return version === undefined ? [] : [version];
}

/** A value that is a part of its record: who reads the record finds the rest of it without blobs. */
function partOf(record: DurableRecord, value: unknown, keeper: ValueKeeper | undefined): unknown {
  if (keeper === undefined || isSmall(value)) return value;
  const encoded = encodedContent(record, value);
  return encoded.length <= INLINE_BYTES ? value : new Tagged(KEPT_TAG, kept(record, encoded, keeper));
}

function formOf(outcome: Outcome): unknown {
  if (!outcome.failed) return outcome.value;
  const { code, message, changed, fix, retryable, details = {} } = outcome.error;
  return new Tagged(FAILURE_TAG, [code, message, changed, fix, retryable, details]);
}

/** A row as the record it is. @throws {TypeError} for an unknown kind */
export function recordOf(row: RecordRow, source?: ValueSource): DurableRecord {
  const { kind, path, op, outcome } = row;
  switch (kind) {
    case KIND.spawn: {
      const [program, input, uses, seed, version] = outcome as SpawnForm;
      return { kind, beginning: { program, input: found(input, source), uses, seed, ...versionOf(version) } };
    }
    case KIND.checkpoint:
    case KIND.upgraded:
      return { kind, renewal: renewalOf(outcome, source) };
    case KIND.moved:
      return { kind, to: outcome as string };
    case KIND.restart:
      return { kind, facts: restartOf(outcome, source) };
    case KIND.time:
      return { kind, nowMs: outcome as number };
    case KIND.message:
      return { kind, payload: outcome };
    case KIND.mail: {
      const [from, number, payload, settled, forgotten] = outcome as MailForm;
      return { kind, from, number, payload: found(payload, source), settled, forgotten };
    }
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

type SpawnForm = [string, unknown, Beginning["uses"], Uint8Array, VersionForm?];
type MailForm = [string, number, unknown, readonly string[], readonly string[]];

function versionOf(form: VersionForm | null | undefined): Pick<Beginning, "version" | "edition"> {
  if (typeof form === "string") return { version: form };
  if (form === undefined || form === null) return {};
  const [version, edition] = form;
  return { ...(version === null ? {} : { version }), edition };
}

function restartOf(form: unknown, source: ValueSource | undefined): RestartFacts {
  if (!Array.isArray(form) || form.length !== 2) throw new TypeError("no restart");
  const facts = factsOf(form[0]);
  return form[1] === null ? facts : { ...facts, renewal: renewalOf(form[1], source) };
}

function renewalOf(form: unknown, source: ValueSource | undefined): Renewal {
  const [program, state, uses, seed, generation, nowMs, messages, spent, version, mailbox, ledger] = form as [
    string,
    unknown,
    Beginning["uses"],
    Uint8Array,
    number,
    number,
    unknown,
    Spent,
    (VersionForm | null)?,
    unknown?,
    unknown?,
  ];
  const inbox = found(messages, source) as readonly unknown[];
  const input = found(state, source);
  return {
    beginning: { program, input, uses, seed, generation, spent, ...versionOf(version) },
    nowMs,
    inbox,
    ...(mailbox === undefined || mailbox === null ? {} : { mailbox: mailboxOf(mailbox, source) }),
    ...(ledger === undefined ? {} : { ledger: found(ledger, source) }),
  };
}

function mailboxOf(form: unknown, source: ValueSource | undefined): MailboxForm | undefined {
  const parts = found(form, source);
  return parts instanceof KeptValue ? undefined : formOfParts(parts);
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
