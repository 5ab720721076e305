/** The base of the `oversight` errors: it brings the sentences of their codes with it. */
import { OVERSIGHT_CODES } from "../codes/oversight.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `oversight` namespace. */
export type OversightErrorCode = keyof typeof OVERSIGHT_CODES;

/** A refusal by oversight and audit; `code` says which. */
export class OversightError<Code extends OversightErrorCode = OversightErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, OVERSIGHT_CODES[code], options);
  }
}
