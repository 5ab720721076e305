/** Puts the engine into `dist/engine.wasm`. Run after `tsup`, which empties that folder. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { enginePath } from "./engine.ts";

const dist = join(import.meta.dirname, "..", "dist");
mkdirSync(dist, { recursive: true });
copyFileSync(await enginePath(), join(dist, "engine.wasm"));
