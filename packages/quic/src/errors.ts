/**
 * The refusals of this package: one class per failure. The package stands alone, so its base class is its own; it has the shape and the
 * brand of every Glia error, and is recognised as one.
 */
import { printClose, type QuicClose } from "./close.ts";

const BRAND: unique symbol = Symbol.for("@glia-os/error") as never;

interface Facts {
  readonly retryable: boolean;
  readonly changed: string;
  readonly fix: string;
}

/** A code of this package; the code of a failure never changes. */
export type QuicErrorCode =
  | "quic.unsupported-openssl"
  | "quic.no-prebuild"
  | "quic.load-failed"
  | "quic.bad-option"
  | "quic.bad-identity"
  | "quic.bind-failed"
  | "quic.endpoint-closed"
  | "quic.too-many"
  | "quic.connect-failed"
  | "quic.connect-timeout"
  | "quic.peer-refused"
  | "quic.connection-closed"
  | "quic.stream-reset"
  | "quic.stream-stopped";

const FACTS: Readonly<Record<QuicErrorCode, Facts>> = {
  "quic.unsupported-openssl": {
    retryable: false,
    changed: "Nothing: the addon was not loaded.",
    fix: "Run Node 24.21 or newer with the OpenSSL it ships, or do without QUIC.",
  },
  "quic.no-prebuild": {
    retryable: false,
    changed: "Nothing: the addon was not loaded.",
    fix: "Install the platform package @glia-os/quic-PLATFORM, or build the addon with scripts/build-native.ts where a C compiler is; otherwise do without QUIC.",
  },
  "quic.load-failed": {
    retryable: false,
    changed: "Nothing: the addon was not loaded.",
    fix: "Read the cause; a binary for another platform or C library is the usual one.",
  },
  "quic.bad-option": {
    retryable: false,
    changed: "Nothing.",
    fix: "Pass a value that the documentation of the option allows.",
  },
  "quic.bad-identity": {
    retryable: false,
    changed: "Nothing: the identity in use stays in use.",
    fix: "Pass a certificate and its own key, in DER form, of the kind of key already in use.",
  },
  "quic.bind-failed": {
    retryable: true,
    changed: "Nothing: there is no endpoint.",
    fix: "Use an address of this machine and a UDP port that is free, or port 0.",
  },
  "quic.endpoint-closed": {
    retryable: false,
    changed: "Nothing.",
    fix: "Make another endpoint.",
  },
  "quic.too-many": {
    retryable: true,
    changed: "Nothing.",
    fix: "Wait until some of what is open has ended, or raise the limit where it is an option.",
  },
  "quic.connect-failed": {
    retryable: true,
    changed: "Nothing: there is no connection.",
    fix: "Check that a QUIC endpoint with the same protocol name listens there and accepts this certificate.",
  },
  "quic.connect-timeout": {
    retryable: true,
    changed: "Nothing: there is no connection.",
    fix: "Check the address and that UDP passes between the two.",
  },
  "quic.peer-refused": {
    retryable: false,
    changed: "Nothing: the connection was closed before any stream was exposed.",
    fix: "Dial a peer whose certificate approvePeer accepts.",
  },
  "quic.connection-closed": {
    retryable: false,
    changed: "The connection and all its streams are gone; what was not acknowledged may not have arrived.",
    fix: "Connect again.",
  },
  "quic.stream-reset": {
    retryable: false,
    changed: "The stream is gone; the connection stays.",
    fix: "Open another stream.",
  },
  "quic.stream-stopped": {
    retryable: false,
    changed: "The stream is gone; the connection stays.",
    fix: "Open another stream, if the peer still wants what was sent.",
  },
};

interface ErrorDetail {
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** A refusal with a stable code: what was refused, what it changed, what to do. */
export class QuicError<Code extends QuicErrorCode = QuicErrorCode> extends Error {
  readonly code: Code;
  /** What the failure changed. */
  readonly changed: string;
  /** What to do about it. */
  readonly fix: string;
  /** Whether the same call may succeed later without any change by the caller. */
  readonly retryable: boolean;
  /** Facts for programs. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, { details = {}, cause }: ErrorDetail = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    ({ changed: this.changed, fix: this.fix, retryable: this.retryable } = FACTS[code]);
    this.details = details;
    Object.defineProperty(this, BRAND, { value: true, enumerable: false });
  }

  /** The error as plain data. */
  toRecord(): Record<string, unknown> {
    const { code, message, changed, fix, retryable, details } = this;
    return { code, message, changed, fix, retryable, details };
  }
}

/** This Node has no OpenSSL that the addon can use; loading it would have ended the process. */
export class UnsupportedOpensslError extends QuicError<"quic.unsupported-openssl"> {
  constructor(why: string) {
    super("quic.unsupported-openssl", `QUIC cannot run on this Node: ${why}`, { details: { why } });
  }
}

/** There is no binary of the addon for this platform. */
export class NoPrebuildError extends QuicError<"quic.no-prebuild"> {
  constructor(platform: string) {
    super("quic.no-prebuild", `there is no QUIC addon for ${platform}`, { details: { platform } });
  }
}

/** The binary is there and the system would not load it. */
export class LoadFailedError extends QuicError<"quic.load-failed"> {
  constructor(cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("quic.load-failed", `the QUIC addon could not be loaded: ${why}`, { cause });
  }
}

/** A value that is not allowed. */
export class BadOptionError extends QuicError<"quic.bad-option"> {
  constructor(name: string, rule: string) {
    super("quic.bad-option", `${name} must be ${rule}`, { details: { name, rule } });
  }
}

/** A certificate and a key that cannot be used. */
export class BadIdentityError extends QuicError<"quic.bad-identity"> {
  constructor(why: string) {
    super("quic.bad-identity", `the identity was refused: ${why}`, { details: { why } });
  }
}

/** The UDP socket could not be opened. */
export class BindFailedError extends QuicError<"quic.bind-failed"> {
  constructor(host: string, port: number, why: string) {
    super("quic.bind-failed", `cannot use UDP ${host} port ${port}: ${why}`, {
      details: { host, port, why },
    });
  }
}

/** The endpoint was closed before. */
export class EndpointClosedError extends QuicError<"quic.endpoint-closed"> {
  constructor() {
    super("quic.endpoint-closed", "the endpoint is closed");
  }
}

/** A limit is reached. */
export class TooManyError extends QuicError<"quic.too-many"> {
  constructor(what: string, limit: number) {
    super("quic.too-many", `there are ${limit} ${what} already`, { details: { what, limit } });
  }
}

/** The peer, or TLS, ended the connection before it was usable. */
export class ConnectFailedError extends QuicError<"quic.connect-failed"> {
  constructor(close: QuicClose) {
    super("quic.connect-failed", `the connection could not be made: ${printClose(close)}`, {
      details: { ...close },
    });
  }
}

/** Nothing usable came back in time. */
export class ConnectTimeoutError extends QuicError<"quic.connect-timeout"> {
  constructor(host: string, port: number, ms: number) {
    super("quic.connect-timeout", `no connection to UDP ${host} port ${port} within ${ms} ms`, {
      details: { host, port, ms },
    });
  }
}

/** Our own approvePeer did not accept the peer. */
export class PeerRefusedError extends QuicError<"quic.peer-refused"> {
  constructor(cause?: unknown) {
    super("quic.peer-refused", "approvePeer did not accept the peer's certificate", { cause });
  }
}

/** The connection ended. */
export class ConnectionClosedError extends QuicError<"quic.connection-closed"> {
  constructor(close: QuicClose) {
    super("quic.connection-closed", `the connection is closed: ${printClose(close)}`, {
      details: { ...close },
    });
  }
}

/** The peer gave up sending on a stream. */
export class StreamResetError extends QuicError<"quic.stream-reset"> {
  constructor(streamCode: number) {
    super("quic.stream-reset", `the peer reset the stream with code ${streamCode}`, {
      details: { streamCode },
    });
  }
}

/** The peer no longer reads a stream. */
export class StreamStoppedError extends QuicError<"quic.stream-stopped"> {
  constructor(streamCode: number) {
    super("quic.stream-stopped", `the peer stopped reading the stream, code ${streamCode}`, {
      details: { streamCode },
    });
  }
}
