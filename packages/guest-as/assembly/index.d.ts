/** The AssemblyScript face of the SDK as types, for editors. The sources are compiled by `asc` only. */
type i32 = number;
type i64 = bigint;

/** A pointer or length lies outside the guest's memory. */
export declare const E_FAULT: i32;
/** The destination is too small; nothing was consumed. */
export declare const E_TOO_BIG: i32;
/** The call is not allowed now, for example a second reply. */
export declare const E_STATE: i32;
/** An argument is out of range. */
export declare const E_RANGE: i32;
/** A limit of the guest is used up. */
export declare const E_LIMIT: i32;
/** The peer or resource is gone. */
export declare const E_GONE: i32;
export declare const E_TIMEOUT: i32;

/** Log levels. */
export declare const TRACE: i32;
export declare const DEBUG: i32;
export declare const INFO: i32;
export declare const WARN: i32;
export declare const ERROR: i32;

/** A buffer for messages that grows to the longest one seen. */
export declare class Inbox {
  constructor(capacity?: i32, limit?: i32);
  /** Wait for the next message. Its length, or a negative error. */
  receive(): i32;
  /** Where the message received last begins. */
  readonly pointer: number;
}

/** Wait for the next message, as bytes of its own. */
export declare function receive(): Uint8Array;
/** Wait for the next message and read it as UTF-8. */
export declare function receiveText(): string;
/** The result of the last receive: its length, or a negative error. */
export declare function failure(): i32;
/** Answer the message received last. Zero, or a negative error. */
export declare function reply(bytes: Uint8Array): i32;
/** Answer the message received last with text. Zero, or a negative error. */
export declare function replyText(text: string): i32;
/** Write a log line. Zero, or a negative error. */
export declare function log(level: i32, text: string): i32;
/** Milliseconds since the Unix epoch. */
export declare function now(): i64;
/** Random bytes. */
export declare function random(length: i32): Uint8Array;
/** Wait for some milliseconds. Zero, or a negative error. */
export declare function sleep(durationMs: i64): i32;
/** Let other guests run. */
export declare function yieldNow(): void;
/** End with a status. */
export declare function exit(status: i32): void;
