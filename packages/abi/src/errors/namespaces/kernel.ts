/** The base of the `kernel` errors: it brings the sentences of their codes with it. */
import { KERNEL_CODES } from "../codes/kernel.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `kernel` namespace. */
export type KernelErrorCode = keyof typeof KERNEL_CODES;

/** A refusal by the kernel; `code` says which. */
export class KernelError<Code extends KernelErrorCode = KernelErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, KERNEL_CODES[code], options);
  }
}
