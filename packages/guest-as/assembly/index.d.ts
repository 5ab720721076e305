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
/** The time given is over; nothing was consumed. */
export declare const E_TIMEOUT: i32;
/** The number is no handle of this guest. */
export declare const E_HANDLE: i32;
/** The capability lacks the right, or names something else. */
export declare const E_DENIED: i32;
/** The call was made and failed; `failureText()` says how. */
export declare const E_FAILED: i32;

/** Rights, as bits of a set. */
export declare const Rights: {
  readonly SEND: i32;
  readonly CALL: i32;
  readonly GRANT: i32;
  readonly REVOKE: i32;
  readonly READ: i32;
  readonly WRITE: i32;
  readonly EXEC: i32;
  readonly APPROVE: i32;
};

/** A capability that goes with a message, with at most these rights. */
export declare class Grant {
  constructor(capability: Capability, rights: i32);
  capability: Capability;
  rights: i32;
}

/** The answer to an HTTP request. */
export declare class Response {
  status: i32;
  /** `{"status", "headers"}` as JSON. */
  head: string;
  body: Uint8Array;
  /** The body as UTF-8. */
  text(): string;
}

/** What this guest may do to the world. Where a call gives `null` or a negative number, `failure()` is the error. */
export declare class Capability {
  handle: i32;
  /** The one this guest was given under a name. */
  static named(name: string): Capability | null;
  /** What is registered under a name; only for guests that may look names up. */
  static lookup(name: string): Capability | null;
  /** The one of this number, from 0, that came with the message received last. */
  static accepted(index: i32): Capability | null;
  /** Its rights, as bits of {@link Rights}. */
  readonly rights: i32;
  /** A new capability with at most these rights. */
  attenuate(rights: i32): Capability | null;
  /** Give it up. */
  drop(): i32;
  /** End everything derived from it; how many capabilities of this guest it were. */
  revoke(): i32;
  /** Send a message, with up to 16 capabilities. */
  send(message: Uint8Array, grants?: Grant[]): i32;
  /** Send a message and wait for its reply. */
  call(message: Uint8Array, timeoutMs?: i64): Uint8Array | null;
  /** Have a tool run: JSON to JSON. */
  exec(input: string): string | null;
  /** One HTTP exchange. `headers` is a JSON object. */
  fetch(url: string, method?: string, headers?: string, body?: Uint8Array | null): Response | null;
  /** The content of a file of at most `limit` bytes. */
  readFile(path: string, limit?: i32): Uint8Array | null;
  /** Replace the content of a file. */
  writeFile(path: string, content: Uint8Array): i32;
  /** The names in a folder, as a JSON list. */
  listFiles(path: string): string | null;
  /** Ask a model: JSON to JSON. */
  model(request: string): string | null;
  /** Ask somebody to approve; `{"approved", "by", "reason"?}` as JSON. */
  approve(question: string): string | null;
}

/** A message, or a timer that is due. */
export declare class Happening {
  /** The number of the timer; -1 for a message. */
  timer: i32;
  message: Uint8Array;
  /** The message as UTF-8. */
  text(): string;
}

/** Timers of one guest, by numbers it chooses, 0 or more. They move with the guest. */
export declare class Timers {
  constructor(inbox?: Inbox);
  /** Let a timer be due in so many milliseconds; one of that number is set anew. */
  after(durationMs: i64, number: i32): void;
  /** Unset a timer. Whether it was set. */
  cancel(number: i32): boolean;
  /** Wait for a message or the next timer. */
  next(): Happening;
}

/** A text as a JSON string, quotes included. */
export declare function quote(text: string): string;
/** What a call of a capability that failed says, as JSON `{"code", "message"}`. */
export declare function failureText(): string;

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
  /** As receive, for at most so many milliseconds; E_TIMEOUT when no message came. */
  receiveWithin(durationMs: i64): i32;
  /** Where the message received last begins. */
  readonly pointer: number;
}

/** Wait for the next message, as bytes of its own. */
export declare function receive(): Uint8Array;
/** Wait for the next message and read it as UTF-8. */
export declare function receiveText(): string;
/** The result of the last call that can fail: 0 or more, or a negative error. */
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

/** In `@glia-os/guest-as/assembly/upgrade`; re-export it: nodes look for it before they exchange the code of an agent. */
export declare function glia_upgrade(): i32;
/** In `@glia-os/guest-as/assembly/upgrade`: a program whose code can be exchanged while its agent lives. */
export declare abstract class Upgradable {
  constructor(name: string, version: i32);
  /** Everything the next program is to go on with. */
  abstract save(): Uint8Array;
  /** Take over what another version saved; null when it was taken, else why it was not. */
  abstract codeChange(state: Uint8Array, fromVersion: i32): string | null;
  /** The next message that is the program's own. */
  receive(): Uint8Array;
}
