/** The base of the `wire` errors: it brings the sentences of their codes with it. */
import { WIRE_CODES } from "../codes/wire.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `wire` namespace. */
export type WireErrorCode = keyof typeof WIRE_CODES;

/** A refusal by the mesh's transport; `code` says which. */
export class WireError<Code extends WireErrorCode = WireErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, WIRE_CODES[code], options);
  }
}
