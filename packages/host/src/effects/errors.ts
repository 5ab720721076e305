/** One class per refusal of the HTTP client and the file tree. What each changed and what to do stands in the code table of `abi`. */
import { HostError } from "@glia-os/abi/errors/host";

/** A request goes to an address or an origin that is not allowed. */
export class AddressRefusedError extends HostError<"host.address-refused"> {
  constructor(target: string, why: string) {
    super("host.address-refused", `${target.slice(0, 200)} is refused: ${why}`, { details: { target } });
  }
}

/** A request has a part that the client sets itself or does not send. */
export class RequestRefusedError extends HostError<"host.request-refused"> {
  constructor(what: string) {
    super("host.request-refused", `the request is refused: ${what}`, { details: { what } });
  }
}

/** An exchange broke: no connection, no answer in time, or a broken answer. */
export class HttpFailedError extends HostError<"host.http-failed"> {
  constructor(target: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message || (cause as { code?: string }).code : String(cause);
    super("host.http-failed", `${target.slice(0, 200)}: ${why}`, { cause, details: { target } });
  }
}

/** Something is larger than its limit. */
export class TooLargeError extends HostError<"host.too-large"> {
  constructor(what: string, limit: number, unit: string) {
    super("host.too-large", `${what.slice(0, 300)} has more than ${limit} ${unit}`, {
      details: { what, limit },
    });
  }
}

/** A path leads, or may lead, out of its root. */
export class OutsideRootError extends HostError<"host.outside-root"> {
  constructor(path: string, why: string) {
    const shown = JSON.stringify(path.slice(0, 200));
    super("host.outside-root", `the path ${shown} is refused: ${why}`, { details: { path } });
  }
}

/** The system refused an operation on a file. */
export class FileFailedError extends HostError<"host.file-failed"> {
  constructor(operation: string, path: string, cause: unknown) {
    const code = (cause as { code?: string } | undefined)?.code ?? "failed";
    const shown = JSON.stringify(path.slice(0, 200));
    super("host.file-failed", `cannot ${operation} ${shown}: ${code}`, {
      cause,
      details: { path, system: code },
    });
  }
}
