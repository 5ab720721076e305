/**
 * The audit: what was allowed, refused, approved and denied, as a chain of lines, each with the hash of the one before
 * (docs/spec/audit.md).
 *
 * AU1. An entry is one line of JSON. Its hash covers its bytes and the hash of its predecessor: a line that was changed, taken out, put in
 *      or moved breaks the chain at the place where it was.
 * AU2. `append` resolves when the entry is durable. A call starts after its entry is.
 * AU3. The end of a chain can be cut off unseen by the chain alone: whoever keeps the head elsewhere notices.
 */
import type { Sha256 } from "./derived-random.ts";
import { AuditBrokenError } from "./oversight-errors.ts";

/** What happened. `rollback` lets the calls of a domain begin anew. */
export type AuditAction =
  | "allowed"
  | "refused"
  | "approved"
  | "denied"
  | "ended"
  | "failed"
  | "rollback"
  | "restarted"
  | "escalated";

/** One thing that happened. */
export interface AuditEvent {
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly action: AuditAction;
  readonly domain: string;
  /** Which call, the same in every run: `DOMAIN:PATH#NUMBER`. */
  readonly key?: string;
  /** The syscall and the service it goes to. */
  readonly call?: string;
  readonly service?: string;
  /** SHA-256 of the arguments, hexadecimal, where they are not secret. */
  readonly args?: string;
  /** Who decided, why, under which mode of oversight; the code of a refusal. */
  readonly by?: string;
  readonly reason?: string;
  readonly mode?: string;
  readonly code?: string;
}

/** An entry of an audit. */
export interface AuditEntry extends AuditEvent {
  /** From 1. */
  readonly number: number;
  readonly hash: string;
}

/** Where a chain stands. */
export interface AuditHead {
  readonly number: number;
  /** Of the last entry; 64 zeros before the first. */
  readonly hash: string;
}

/** Bytes that only grow; `append` resolves when what was appended is durable, in the order of the calls. */
export interface AppendFile {
  read(): Promise<Uint8Array>;
  append(bytes: Uint8Array): Promise<void>;
}

/** The head of an empty chain. */
export const EMPTY_HEAD: AuditHead = { number: 0, hash: "0".repeat(64) };
const HASH = /,"hash":"([0-9a-f]{64})"\}$/;

/** The line of the next entry, without its line end, and the head after it. */
export function encodeEntry(
  head: AuditHead,
  event: AuditEvent,
  digests: Sha256,
): { readonly line: string; readonly head: AuditHead } {
  const number = head.number + 1;
  const body = asciiJson({ number, ...event }).slice(0, -1);
  const hash = hashOf(head.hash, body, digests);
  return { line: `${body},"hash":"${hash}"}`, head: { number, hash } };
}

/**
 * The entries of an audit in order, each checked. A last line without its end is a write that was cut off and is left out.
 * @throws {AuditBrokenError} at the first entry that does not continue the chain
 */
export function* auditEntries(bytes: Uint8Array, digests: Sha256): Generator<AuditEntry, AuditHead> {
  let head = EMPTY_HEAD;
  for (
    let start = 0, end = bytes.indexOf(LINE_END);
    end >= 0;
    start = end + 1, end = bytes.indexOf(LINE_END, start)
  ) {
    const entry = entryOf(textOf(bytes.subarray(start, end)), head, digests);
    head = { number: entry.number, hash: entry.hash };
    yield entry;
  }
  return head;
}

const LINE_END = 0x0a;

function entryOf(line: string, head: AuditHead, digests: Sha256): AuditEntry {
  const place = head.number + 1;
  const found = HASH.exec(line);
  const entry = found === null ? undefined : parsed(line);
  if (found === null || entry === undefined) throw new AuditBrokenError(place, "it is no entry");
  const body = line.slice(0, found.index);
  if (entry.number !== place) throw new AuditBrokenError(place, misplaced(place, entry.number));
  if (hashOf(head.hash, body, digests) !== found[1])
    throw new AuditBrokenError(place, "it, or the one before it, was changed");
  return entry;
}

function misplaced(place: number, found: number): string {
  if (found > place)
    return `entry ${found} stands in its place: entries before that one were taken out or moved`;
  return `entry ${found} stands in its place: it was put in or moved there`;
}

function parsed(line: string): AuditEntry | undefined {
  try {
    const value = JSON.parse(line) as AuditEntry;
    return Number.isSafeInteger(value.number) && typeof value.action === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(before: string, body: string, digests: Sha256): string {
  return hexOf(digests.sha256(bytesOf(`${before}\n${body}`)));
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** JSON without characters beyond ASCII, so that a line is the same bytes everywhere. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The bytes of ASCII text. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
