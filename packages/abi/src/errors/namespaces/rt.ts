/** The base of the `rt` errors: it brings the sentences of their codes with it. */
import { RT_CODES } from "../codes/rt.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `rt` namespace. */
export type RtErrorCode = keyof typeof RT_CODES;

/** A refusal by the embedded runtime; `code` says which. */
export class RtError<Code extends RtErrorCode = RtErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, RT_CODES[code], options);
  }
}
