/** The prebuilt guests in C and Rust, instrumented once per state of the pipeline and kept in `build/`. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { instrument, type Profile } from "../src/pipeline/index.ts";

const root = join(import.meta.dirname, "..");
/** Where the modules as their compilers made them lie. */
export const prebuilt: string = join(root, "..", "..", "conformance", "guests", "prebuilt");

/** The path of a guest of `conformance/guests`, instrumented. */
export async function foreignGuest(name: string, profile: Profile = "cooperative"): Promise<string> {
  const original = readFileSync(join(prebuilt, `${name}.wasm`));
  const folder = join(root, "build", "guests", stateOf(original));
  const path = join(folder, `${name}.${profile}.wasm`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const { bytes } = await instrument(original, { profile });
  const partial = `${path}.${randomUUID()}`;
  writeFileSync(partial, bytes);
  renameSync(partial, path);
  return path;
}

function stateOf(original: Uint8Array): string {
  const hash = createHash("sha256").update(original);
  const patterns = [
    "src/{binary,metering,pipeline}/**/*.ts",
    "src/*.ts",
    "src/wasi/suspending.ts",
    "../abi/src/wire/*.ts",
  ];
  for (const path of globSync(patterns, { cwd: root }).sort())
    hash.update(path).update(readFileSync(join(root, path)));
  return hash.digest("hex").slice(0, 32);
}
