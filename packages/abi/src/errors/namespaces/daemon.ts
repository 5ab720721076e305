/** The base of the `daemon` errors: it brings the sentences of their codes with it. */
import { DAEMON_CODES } from "../codes/daemon.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `daemon` namespace. */
export type DaemonErrorCode = keyof typeof DAEMON_CODES;

/** A refusal by a node; `code` says which. */
export class DaemonError<Code extends DaemonErrorCode = DaemonErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, DAEMON_CODES[code], options);
  }
}
