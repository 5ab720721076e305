/** The base of the `tools` errors: it brings the sentences of their codes with it. */
import { TOOLS_CODES } from "../codes/tools.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `tools` namespace. */
export type ToolsErrorCode = keyof typeof TOOLS_CODES;

/** A refusal by tools and tool servers; `code` says which. */
export class ToolsError<Code extends ToolsErrorCode = ToolsErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, TOOLS_CODES[code], options);
  }
}
