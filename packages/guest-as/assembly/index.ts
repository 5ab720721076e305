/**
 * Host calls for guests in AssemblyScript. A guest exports `glia_main(): i32`; its return value is the exit status.
 *
 * Blocking calls (receive, sleep, yieldNow, exit) are the places where a guest can be stopped, copied and continued elsewhere;
 * to the program they look like ordinary calls.
 */
import * as host from "./host";
import { Inbox } from "./inbox";

export { E_FAULT, E_GONE, E_LIMIT, E_RANGE, E_STATE, E_TIMEOUT, E_TOO_BIG } from "./errors";
export { Inbox } from "./inbox";

export const TRACE: i32 = 0;
export const DEBUG: i32 = 1;
export const INFO: i32 = 2;
export const WARN: i32 = 3;
export const ERROR: i32 = 4;

let inbox: Inbox | null = null;
let lastError: i32 = 0;

function sharedInbox(): Inbox {
  const known = inbox;
  if (known !== null) return known;
  const made = new Inbox();
  inbox = made;
  return made;
}

/** Wait for the next message, as bytes of its own. Empty with `failure()` below zero when the host refused. */
export function receive(): Uint8Array {
  const box = sharedInbox();
  lastError = box.receive();
  const length = max(lastError, 0);
  const bytes = new Uint8Array(length);
  memory.copy(bytes.dataStart, box.pointer, length);
  return bytes;
}

/** Wait for the next message and read it as UTF-8. */
export function receiveText(): string {
  const box = sharedInbox();
  lastError = box.receive();
  return String.UTF8.decodeUnsafe(box.pointer, <usize>max(lastError, 0));
}

/** The result of the last receive: its length, or a negative error. */
export function failure(): i32 {
  return lastError;
}

/** Answer the message received last. Zero, or a negative error. */
export function reply(bytes: Uint8Array): i32 {
  return host.reply(bytes.dataStart, bytes.length);
}

/** Answer the message received last with text. Zero, or a negative error. */
export function replyText(text: string): i32 {
  const bytes = String.UTF8.encode(text);
  return host.reply(changetype<usize>(bytes), bytes.byteLength);
}

/** Write a log line. Zero, or a negative error. */
export function log(level: i32, text: string): i32 {
  const bytes = String.UTF8.encode(text);
  return host.log(level, changetype<usize>(bytes), bytes.byteLength);
}

/** Milliseconds since the Unix epoch. */
export function now(): i64 {
  return host.now();
}

/** `length` random bytes. */
export function random(length: i32): Uint8Array {
  const bytes = new Uint8Array(length);
  host.random(bytes.dataStart, length);
  return bytes;
}

/** Wait for some milliseconds. Zero, or a negative error. */
export function sleep(durationMs: i64): i32 {
  return host.sleep(durationMs);
}

/** Let other guests run. */
export function yieldNow(): void {
  host.yieldNow();
}

/** End with a status. */
export function exit(status: i32): void {
  host.exit(status);
  unreachable();
}
