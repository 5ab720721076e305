/**
 * Host calls for guests in AssemblyScript. A guest exports `glia_main(): i32`; its return value is the exit status.
 *
 * Blocking calls (receive, sleep, yieldNow, exit) are the places where a guest can be stopped, copied and continued elsewhere;
 * to the program they look like ordinary calls.
 */
import { note } from "./failure";
import * as host from "./host";
import { Inbox } from "./inbox";

export { Capability, Grant, Response, Rights } from "./capability";
export {
  E_DENIED,
  E_FAILED,
  E_FAULT,
  E_GONE,
  E_HANDLE,
  E_LIMIT,
  E_RANGE,
  E_STATE,
  E_TIMEOUT,
  E_TOO_BIG,
} from "./errors";
export { failure, failureText } from "./failure";
export { Inbox } from "./inbox";
export { quote } from "./json";
export { Happening, Timers } from "./timers";

export const TRACE: i32 = 0;
export const DEBUG: i32 = 1;
export const INFO: i32 = 2;
export const WARN: i32 = 3;
export const ERROR: i32 = 4;

let inbox: Inbox | null = null;

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
  const length = max(note(box.receive()), 0);
  const bytes = new Uint8Array(length);
  memory.copy(bytes.dataStart, box.pointer, length);
  return bytes;
}

/** Wait for the next message and read it as UTF-8. */
export function receiveText(): string {
  const box = sharedInbox();
  return String.UTF8.decodeUnsafe(box.pointer, <usize>max(note(box.receive()), 0));
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
