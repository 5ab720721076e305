/** The base of the `hal` errors: it brings the sentences of their codes with it. */
import { HAL_CODES } from "../codes/hal.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `hal` namespace. */
export type HalErrorCode = keyof typeof HAL_CODES;

/** A refusal by the hardware layer; `code` says which. */
export class HalError<Code extends HalErrorCode = HalErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, HAL_CODES[code], options);
  }
}
