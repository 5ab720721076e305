/**
 * The base of every failure Glia reports on purpose.
 *
 * E1. An error carries a stable code; the message may change, the code may not.
 * E2. An error says what the refusal changed (usually nothing) and what to do about it.
 * E3. The brand is a registered symbol, so an error is recognised across realms, worker threads and duplicate copies of this package.
 * E4. The sentences of a namespace come with the base class of its errors (`@glia-os/abi/errors/NAMESPACE`): a program carries those
 *     of the namespaces it uses, and no other.
 * E5. A code that the table does not have, because its package is newer than the table, is kept; its sentences say that they are unknown.
 */
import { ABI_CODES } from "./codes/abi.ts";
import type { ErrorCode, ErrorFacts } from "./codes.ts";

const BRAND: unique symbol = Symbol.for("@glia-os/error") as never;

/** What is said of a code that is not in the table (E5). */
const UNKNOWN_CODE: ErrorFacts = {
  retryable: false,
  changed: "Unknown: this version of @glia-os/abi does not describe the code.",
  fix: "Read the message; a version of @glia-os/abi as new as the package that raised this says more.",
};

/** What an error carries beyond its message. */
export interface GliaErrorOptions {
  /** What is different now; leave out to use the sentence of the code table. */
  readonly changed?: string;
  /** What the reader can do; leave out to use the sentence of the code table. */
  readonly fix?: string;
  /** Facts for programs: plain data, no secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The failure that led to this one. */
  readonly cause?: unknown;
}

/** The form an error takes in JSON, on the wire and in logs. */
export interface ErrorRecord {
  readonly code: string;
  readonly message: string;
  readonly changed: string;
  readonly fix: string;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * A refusal with a stable code. Each namespace has a base class that extends it and knows what the table says of its codes; a
 * package extends that one with a class per failure.
 */
export class GliaError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  /** What the failure changed. */
  readonly changed: string;
  /** What to do about it. */
  readonly fix: string;
  /** Whether the same call may succeed later without any change by the caller. */
  readonly retryable: boolean;
  /** Facts for programs. */
  readonly details: Readonly<Record<string, unknown>>;

  /** `facts`: what the table says of `code`; undefined if it has no such row (E5). */
  constructor(code: Code, message: string, facts: ErrorFacts | undefined, options: GliaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const known = facts ?? UNKNOWN_CODE;
    this.name = new.target.name;
    this.code = code;
    this.changed = options.changed ?? known.changed;
    this.fix = options.fix ?? known.fix;
    this.retryable = known.retryable;
    this.details = options.details ?? {};
    Object.defineProperty(this, BRAND, { value: true, enumerable: false });
  }

  /** The plain-data form of this error. */
  toRecord(): ErrorRecord {
    const { code, message, changed, fix, retryable, details } = this;
    return { code, message, changed, fix, retryable, details };
  }
}

/** Whether a caught value is a Glia error, from whatever copy or realm (E3). */
export function isGliaError(value: unknown): value is GliaError {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
}

/** Whether a caught value is a Glia error with this code. */
export function hasErrorCode<Code extends ErrorCode>(value: unknown, code: Code): value is GliaError<Code> {
  return isGliaError(value) && value.code === code;
}

/** An error that arrived as data: from the wire, another thread or a log. Keeps the code even when this build does not know it. */
export class RemoteError extends GliaError<"abi.remote"> {
  /** The error as its sender described it. */
  readonly remote: ErrorRecord;

  constructor(remote: ErrorRecord) {
    super("abi.remote", remote.message, ABI_CODES["abi.remote"], {
      changed: remote.changed,
      fix: remote.fix,
      details: { ...remote.details, code: remote.code },
    });
    this.remote = remote;
  }

  override toRecord(): ErrorRecord {
    return this.remote;
  }
}

/** The code a program should look at: the sender's one for an error that arrived as data. */
export function errorCodeOf(value: unknown): string | undefined {
  if (value instanceof RemoteError) return value.remote.code;
  return isGliaError(value) ? value.toRecord().code : undefined;
}

/** The record of any thrown value; a foreign exception becomes `abi.unexpected`. */
export function toErrorRecord(value: unknown): ErrorRecord {
  if (isGliaError(value)) return value.toRecord();
  const message = value instanceof Error ? value.message : String(value);
  return new UnexpectedError(message, value).toRecord();
}

/** A thrown value that no Glia code raised on purpose. */
export class UnexpectedError extends GliaError<"abi.unexpected"> {
  constructor(message: string, cause?: unknown) {
    super("abi.unexpected", message, ABI_CODES["abi.unexpected"], { cause });
  }
}

/** A value from outside does not have the shape its format requires. */
export class MalformedError extends GliaError<"abi.malformed"> {
  constructor(what: string, why: string, details: Readonly<Record<string, unknown>> = {}) {
    super("abi.malformed", `${what} is malformed: ${why}`, ABI_CODES["abi.malformed"], {
      details: { what, why, ...details },
    });
  }
}
