/** The base of the `overlay` errors: it brings the sentences of their codes with it. */
import { OVERLAY_CODES } from "../codes/overlay.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `overlay` namespace. */
export type OverlayErrorCode = keyof typeof OVERLAY_CODES;

/** A refusal by a part of the mesh's overlay; `code` says which. */
export class OverlayError<Code extends OverlayErrorCode = OverlayErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, OVERLAY_CODES[code], options);
  }
}
