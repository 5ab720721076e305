/** The base of the `store` errors: it brings the sentences of their codes with it. */
import { STORE_CODES } from "../codes/store.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `store` namespace. */
export type StoreErrorCode = keyof typeof STORE_CODES;

/** A refusal by the store; `code` says which. */
export class StoreError<Code extends StoreErrorCode = StoreErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, STORE_CODES[code], options);
  }
}
