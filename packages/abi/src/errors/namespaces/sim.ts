/** The base of the `sim` errors: it brings the sentences of their codes with it. */
import { SIM_CODES } from "../codes/sim.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `sim` namespace. */
export type SimErrorCode = keyof typeof SIM_CODES;

/** A refusal by the simulator; `code` says which. */
export class SimError<Code extends SimErrorCode = SimErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, SIM_CODES[code], options);
  }
}
