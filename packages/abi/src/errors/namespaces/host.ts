/** The base of the `host` errors: it brings the sentences of their codes with it. */
import { HOST_CODES } from "../codes/host.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `host` namespace. */
export type HostErrorCode = keyof typeof HOST_CODES;

/** A refusal by the loop, the engines and the effects of a host; `code` says which. */
export class HostError<Code extends HostErrorCode = HostErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, HOST_CODES[code], options);
  }
}
