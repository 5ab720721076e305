/** The base of the `tensor` errors: it brings the sentences of their codes with it. */
import { TENSOR_CODES } from "../codes/tensor.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `tensor` namespace. */
export type TensorErrorCode = keyof typeof TENSOR_CODES;

/** A refusal by the tensor package; `code` says which. */
export class TensorError<Code extends TensorErrorCode = TensorErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, TENSOR_CODES[code], options);
  }
}
