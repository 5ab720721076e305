/** The base of the `cli` errors: it brings the sentences of their codes with it. */
import { CLI_CODES } from "../codes/cli.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `cli` namespace. */
export type CliErrorCode = keyof typeof CLI_CODES;

/** A refusal by the command line; `code` says which. */
export class CliError<Code extends CliErrorCode = CliErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, CLI_CODES[code], options);
  }
}
