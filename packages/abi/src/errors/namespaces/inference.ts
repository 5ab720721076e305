/** The base of the `inference` errors: it brings the sentences of their codes with it. */
import { INFERENCE_CODES } from "../codes/inference.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `inference` namespace. */
export type InferenceErrorCode = keyof typeof INFERENCE_CODES;

/** A refusal by models and their providers; `code` says which. */
export class InferenceError<Code extends InferenceErrorCode = InferenceErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, INFERENCE_CODES[code], options);
  }
}
