/** Codes of the `wasm` namespace. */
export const WASM_CODES = {} as const;
