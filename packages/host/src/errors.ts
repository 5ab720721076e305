/** One class per refusal of the host. */
import { HostError } from "@glia-os/abi/errors/host";
import type { UnobservedFailure } from "@glia-os/kernel";

/** Work was stopped by a cancel signal whose reason is no error. */
export class AbortedError extends HostError<"host.aborted"> {
  /** What the canceller gave as the reason. */
  readonly reason: unknown;

  constructor(reason: unknown) {
    super("host.aborted", "the work was cancelled");
    this.reason = reason;
  }
}

/** A kernel is run by two pumps. */
export class AlreadyRunningError extends HostError<"host.already-running"> {
  constructor() {
    super("host.already-running", "this kernel is run by another pump");
  }
}

/** A metric has a name, label or value that cannot be recorded. */
export class BadMetricError extends HostError<"host.bad-metric"> {
  constructor(what: string, value: unknown) {
    super("host.bad-metric", `${what} ${String(value).slice(0, 80)} cannot be recorded`, {
      details: { what },
    });
  }
}

/** An option is out of range. */
export class BadOptionError extends HostError<"host.bad-option"> {
  constructor(option: string, value: unknown, range: string) {
    super("host.bad-option", `${option} is ${String(value)}; it must be ${range}`, { details: { option } });
  }
}

/** What was to be written is no byte array. */
export class NotBytesError extends HostError<"host.not-bytes"> {
  constructor(value: unknown) {
    super("host.not-bytes", `a ${value === null ? "null" : typeof value} cannot be written to a socket`);
  }
}

/** A socket was closed. */
export class SocketClosedError extends HostError<"host.socket-closed"> {
  constructor(name: string) {
    super("host.socket-closed", `the ${name} is closed`, { details: { name } });
  }
}

/** The system refused or broke a connection. */
export class SocketFailedError extends HostError<"host.socket-failed"> {
  constructor(name: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("host.socket-failed", `${name}: ${why}`, { cause, details: { name } });
  }
}

/** A task failed while nobody waited for it, and the policy is to stop. */
export class UnhandledFailureError extends HostError<"host.unhandled-failure"> {
  constructor({ task, path, name, error }: UnobservedFailure) {
    const why = error instanceof Error ? error.message : String(error);
    super("host.unhandled-failure", `task ${name === "" ? path : name} failed: ${why}`, {
      cause: error,
      details: { task, path, name },
    });
  }
}
