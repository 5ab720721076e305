/** The base of the `orchestration` errors: it brings the sentences of their codes with it. */
import { ORCHESTRATION_CODES } from "../codes/orchestration.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `orchestration` namespace. */
export type OrchestrationErrorCode = keyof typeof ORCHESTRATION_CODES;

/** A refusal by the orchestration of agents; `code` says which. */
export class OrchestrationError<
  Code extends OrchestrationErrorCode = OrchestrationErrorCode,
> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, ORCHESTRATION_CODES[code], options);
  }
}
