/** The wire's refusals: one class per failure, codes in the `wire` namespace of `@glia-os/abi/errors`. */
import { WireError } from "@glia-os/abi/errors/wire";
import type { NodeId } from "@glia-os/abi/ids";
import type { HostPort, TrafficClass } from "@glia-os/abi/ports";

/** `host:port` for people; IPv6 literals in brackets. */
export function printAddress(address: HostPort): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Somebody else listens at the address. */
export class AddressInUseError extends WireError<"wire.address-in-use"> {
  constructor(address: HostPort, cause: unknown) {
    super("wire.address-in-use", `another program listens at ${printAddress(address)}`, {
      details: { ...address },
      cause,
    });
  }
}

/** The address is not of this machine, or may not be opened. */
export class AddressUnavailableError extends WireError<"wire.address-unavailable"> {
  constructor(address: HostPort, why: string, cause?: unknown) {
    super("wire.address-unavailable", `cannot listen at ${printAddress(address)}: ${why}`, {
      details: { ...address },
      cause,
    });
  }
}

/** `listen` was called on an endpoint that listens. */
export class AlreadyListeningError extends WireError<"wire.already-listening"> {
  constructor(address: HostPort) {
    super("wire.already-listening", `the transport already listens at ${printAddress(address)}`);
  }
}

/** Bytes that are not a frame of docs/spec/frame.md. */
export class BadFrameError extends WireError<"wire.bad-frame"> {
  constructor(why: string) {
    super("wire.bad-frame", `a frame was refused: ${why}`, { details: { why } });
  }
}

/** The carrier that was asked for is not there. */
export class CarrierUnavailableError extends WireError<"wire.carrier-unavailable"> {
  constructor(carrier: string) {
    super("wire.carrier-unavailable", `there is no carrier ${carrier} in this process`, {
      details: { carrier },
    });
  }
}

/** A certificate with impossible dates was asked for. */
export class CertificateRequestError extends WireError<"wire.certificate-request"> {
  constructor(why: string) {
    super("wire.certificate-request", `a certificate cannot be made: ${why}`);
  }
}

/** The connection could not be made or broke before a session existed. */
export class ConnectFailedError extends WireError<"wire.connect-failed"> {
  constructor(address: HostPort, why: string, cause?: unknown) {
    super("wire.connect-failed", `cannot connect to ${printAddress(address)}: ${why}`, {
      details: { ...address, why },
      cause,
    });
  }
}

/** No session came into being within the connect timeout. */
export class ConnectTimeoutError extends WireError<"wire.connect-timeout"> {
  constructor(address: HostPort, timeoutMs: number) {
    super(
      "wire.connect-timeout",
      `${printAddress(address)} did not complete a session within ${timeoutMs} ms`,
      {
        details: { ...address, timeoutMs },
      },
    );
  }
}

/** Multicast DNS cannot be used on this machine. */
export class DiscoveryUnavailableError extends WireError<"wire.discovery-unavailable"> {
  constructor(cause: unknown) {
    const why =
      (cause as NodeJS.ErrnoException).code ?? (cause instanceof Error ? cause.message : String(cause));
    super("wire.discovery-unavailable", `multicast DNS cannot be used: ${why}`, { details: { why }, cause });
  }
}

/** The identity file does not hold one Ed25519 private key. */
export class IdentityCorruptError extends WireError<"wire.identity-corrupt"> {
  constructor(path: string, why: string, cause?: unknown) {
    super("wire.identity-corrupt", `the identity file ${path} cannot be used: ${why}`, {
      details: { path, why },
      cause,
    });
  }
}

/** The identity file may be read by others than its owner. */
export class IdentityExposedError extends WireError<"wire.identity-exposed"> {
  constructor(path: string, mode: number) {
    super(
      "wire.identity-exposed",
      `others may read the identity file ${path} (mode ${(mode & 0o777).toString(8)})`,
      {
        details: { path },
      },
    );
  }
}

/** The identity file could not be read or written. */
export class IdentityFileError extends WireError<"wire.identity-file"> {
  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("wire.identity-file", `the identity file ${path} cannot be read or created: ${why}`, {
      details: { path },
      cause,
    });
  }
}

/** A message over the limit of its class. */
export class MessageTooLargeError extends WireError<"wire.message-too-large"> {
  constructor(trafficClass: TrafficClass, size: number, limit: number) {
    super(
      "wire.message-too-large",
      `a ${trafficClass} message of ${size} bytes is over the limit of ${limit}`,
      {
        details: { trafficClass, size, limit },
      },
    );
  }
}

/** An option or argument outside its range. */
export class OptionOutOfRangeError extends WireError<"wire.option-out-of-range"> {
  constructor(name: string, value: unknown, range: string) {
    super("wire.option-out-of-range", `${name} is ${String(value)}; it must be ${range}`, {
      details: { name, range },
    });
  }
}

/** Which check a certificate did not pass. */
export type CertificateFault =
  | "absent"
  | "chain"
  | "malformed"
  | "extension-missing"
  | "extension-malformed"
  | "key-type"
  | "self-signature"
  | "identity-signature"
  | "not-yet-valid"
  | "expired"
  | "validity-too-long";

/** A peer's certificate does not prove a node identity (docs/spec/node-certificate.md). */
export class PeerCertificateError extends WireError<"wire.peer-certificate"> {
  /** The check that failed. */
  readonly reason: CertificateFault;

  constructor(reason: CertificateFault, why: string) {
    super("wire.peer-certificate", `the peer's certificate was refused: ${why}`, { details: { reason } });
    this.reason = reason;
  }
}

/** The peer proved another identity than the expected one. */
export class PeerIdentityError extends WireError<"wire.peer-identity"> {
  constructor(address: HostPort, expected: NodeId | undefined, actual: NodeId) {
    const text =
      expected === undefined
        ? `${printAddress(address)} is this node itself`
        : `the node at ${printAddress(address)} is ${actual}, not ${expected}`;
    super("wire.peer-identity", text, { details: { ...address, expected, actual } });
  }
}

/** The peer broke a rule of the session protocol. */
export class ProtocolViolationError extends WireError<"wire.protocol-violation"> {
  constructor(why: string) {
    super("wire.protocol-violation", `the peer broke the session protocol: ${why}`, { details: { why } });
  }
}

/** The peer answered that it does not accept the session. */
export class RefusedError extends WireError<"wire.refused"> {
  constructor(address: HostPort, refusal: string, why: string) {
    super("wire.refused", `the node at ${printAddress(address)} refused the session: ${why}`, {
      details: { ...address, refusal },
    });
  }
}

/** Too many sends wait for room. */
export class SendQueueFullError extends WireError<"wire.send-queue-full"> {
  constructor(waiting: number) {
    super("wire.send-queue-full", `${waiting} sends of this class already wait for room`);
  }
}

/** The session is over. */
export class SessionClosedError extends WireError<"wire.session-closed"> {
  constructor(reason: string) {
    super("wire.session-closed", `the session is closed: ${reason}`);
  }
}

/** The transport holds as many sessions as it may and none is idle. */
export class SessionLimitError extends WireError<"wire.session-limit"> {
  constructor(limit: number) {
    super("wire.session-limit", `${limit} sessions are open and none of them is idle`, {
      details: { limit },
    });
  }
}

/** The transport was closed. */
export class TransportClosedError extends WireError<"wire.transport-closed"> {
  constructor() {
    super("wire.transport-closed", "the transport is closed");
  }
}
