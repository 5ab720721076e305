/** The base of the `guest` errors: it brings the sentences of their codes with it. */
import { GUEST_CODES } from "../codes/guest.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `guest` namespace. */
export type GuestAgentErrorCode = keyof typeof GUEST_CODES;

/** A refusal to build or run an agent in TypeScript or JavaScript; `code` says which. */
export class GuestAgentError<Code extends GuestAgentErrorCode = GuestAgentErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, GUEST_CODES[code], options);
  }
}
