/** The base of the `cells` errors: it brings the sentences of their codes with it. */
import { CELLS_CODES } from "../codes/cells.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `cells` namespace. */
export type CellsErrorCode = keyof typeof CELLS_CODES;

/** A refusal by the agent SDK; `code` says which. */
export class CellsError<Code extends CellsErrorCode = CellsErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, CELLS_CODES[code], options);
  }
}
