/** The base of the `durable` errors: it brings the sentences of their codes with it. */
import { DURABLE_CODES } from "../codes/durable.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `durable` namespace. */
export type DurableErrorCode = keyof typeof DURABLE_CODES;

/** A refusal by durable programs; `code` says which. */
export class DurableError<Code extends DurableErrorCode = DurableErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, DURABLE_CODES[code], options);
  }
}
