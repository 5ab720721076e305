/** The base of the `history` errors: it brings the sentences of their codes with it. */
import { HISTORY_CODES } from "../codes/history.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `history` namespace. */
export type HistoryErrorCode = keyof typeof HISTORY_CODES;

/** A refusal by time travel; `code` says which. */
export class HistoryError<Code extends HistoryErrorCode = HistoryErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, HISTORY_CODES[code], options);
  }
}
