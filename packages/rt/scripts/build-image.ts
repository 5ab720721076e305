/**
 * Compiles the image with `asc`: `assembly/station.ts` becomes `dist/image.wasm`.
 *
 * `node --conditions=@glia-os/source scripts/build-image.ts [FILE [ENTRY]]` writes to FILE instead, the image ENTRY of this package.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileImage } from "./compile-image.ts";

const target = process.argv[2] ?? join(import.meta.dirname, "..", "dist", "image.wasm");
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, await compileImage(process.argv[3]));
