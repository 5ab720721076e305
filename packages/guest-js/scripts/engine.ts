/** The engine, made once per state of its sources and kept in `build/engine/HASH/engine.wasm`: it takes a minute. Beside it,
 * `plain.wasm` is the same engine before instrumentation, for benchmarks. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { instrument, PIPELINE_VERSION } from "@glia-os/wasm/pipeline";
import { engineModule, quickjsPath } from "./engine-module.ts";

/** Fuel ends an agent that stays inside one built-in function; it yields at the interpreter's own hook. */
const PROFILE = "metered";
const root = join(import.meta.dirname, "..");

/** Where the engine lies; makes it when its sources have changed. */
export async function enginePath(): Promise<string> {
  const folder = join(root, "build", "engine", sourcesHash());
  const path = join(folder, "engine.wasm");
  if (existsSync(path)) return path;
  const plain = await engineModule();
  const { bytes } = await instrument(plain, { profile: PROFILE });
  mkdirSync(folder, { recursive: true });
  put(join(folder, "plain.wasm"), plain);
  put(path, bytes);
  return path;
}

/** Write a file so that nobody sees it half written. */
function put(path: string, bytes: Uint8Array): void {
  const partial = `${path}.${randomUUID()}`;
  writeFileSync(partial, bytes);
  renameSync(partial, path);
}

/** A hash of everything the engine is made from. */
function sourcesHash(): string {
  const hash = createHash("sha256");
  const patterns = ["assembly/**/*.ts", "scripts/engine-module.ts", "scripts/import-module.ts"];
  for (const path of globSync(patterns, { cwd: root }).sort())
    hash.update(path).update(readFileSync(join(root, path)));
  hash.update(`pipeline ${PIPELINE_VERSION} ${PROFILE}`);
  for (const name of ["assemblyscript", "binaryen"]) hash.update(version(name));
  return hash.update(readFileSync(quickjsPath)).digest("hex").slice(0, 32);
}

function version(name: string): string {
  const require = createRequire(import.meta.url);
  const folder = require.resolve.paths(name)?.map((path) => join(path, name, "package.json")) ?? [];
  const manifest = folder.find((path) => existsSync(path));
  return manifest === undefined
    ? name
    : (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}
