/** The guests as modules, compiled once per state of their sources and kept in `build/`. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileGuest } from "../scripts/compile-guest.ts";

const root = join(import.meta.dirname, "..");

/** The instrumented module of `assembly/guests/NAME.ts`. */
export async function guestModule(name: string): Promise<Uint8Array> {
  return readFileSync(await guestPath(name));
}

/** Where that module lies. */
export async function guestPath(name: string): Promise<string> {
  const folder = join(root, "build", "guests", sourcesHash());
  const path = join(folder, `${name}.wasm`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const { bytes } = await compileGuest(join(root, "assembly", "guests", `${name}.ts`));
  const partial = `${path}.${randomUUID()}`;
  writeFileSync(partial, bytes);
  renameSync(partial, path);
  return path;
}

function sourcesHash(): string {
  const hash = createHash("sha256");
  const patterns = [
    "assembly/**/*.ts",
    "src/**/*.ts",
    "package.json",
    "../wasm/src/**/*.ts",
    "../abi/src/wire/*.ts",
  ];
  for (const path of globSync(patterns, { cwd: root }).sort())
    hash.update(path).update(readFileSync(join(root, path)));
  return hash.digest("hex").slice(0, 32);
}
