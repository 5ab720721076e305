/** Puts the engine into `dist/engine.wasm`, for what is published, and `build/engine.wasm`, for what runs from source. Run after `tsup`. */
import { copyFileSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { enginePath } from "./engine.ts";

const root = join(import.meta.dirname, "..");
const engine = await enginePath();
for (const folder of ["dist", "build"]) {
  mkdirSync(join(root, folder), { recursive: true });
  // By a rename: whoever reads it meanwhile gets the old or the new one, never half of one.
  const partial = join(root, folder, `engine.wasm.${process.pid}`);
  copyFileSync(engine, partial);
  renameSync(partial, join(root, folder, "engine.wasm"));
}
