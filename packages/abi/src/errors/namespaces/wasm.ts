/** The base of the `wasm` errors: it brings the sentences of their codes with it. */
import { WASM_CODES } from "../codes/wasm.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `wasm` namespace. */
export type WasmErrorCode = keyof typeof WASM_CODES;

/** A refusal by the engine of WebAssembly guests; `code` says which. */
export class WasmError<Code extends WasmErrorCode = WasmErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, WASM_CODES[code], options);
  }
}
