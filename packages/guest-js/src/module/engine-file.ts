/** Finds the engine that the package ships. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { EngineMissingError } from "../errors.ts";

/** Where the engine lies: QuickJS with our part, instrumented when this package was built. */
export const enginePath: string = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../../build/engine.wasm" : "./engine.wasm", import.meta.url),
);

let loaded: Uint8Array | undefined;

/** The engine's bytes, read once. @throws EngineMissingError */
export function engineBytes(): Uint8Array {
  try {
    loaded ??= readFileSync(enginePath);
    return loaded;
  } catch (cause) {
    throw new EngineMissingError(enginePath, cause);
  }
}
