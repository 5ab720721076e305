/** One guest from AssemblyScript source to an instrumented module, in memory. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ascArguments } from "@glia-os/guest-as";
import { type Instrumented, instrument } from "@glia-os/wasm/pipeline";
import asc from "assemblyscript/asc";

/** Compile and instrument. @throws a GuestCompileError with the compiler's output */
export async function compileGuest(entry: string): Promise<Instrumented> {
  return instrument(await compileAssemblyScript(entry));
}

/** The module as `asc` makes it. */
export async function compileAssemblyScript(entry: string): Promise<Uint8Array> {
  const base = dirname(resolve(entry));
  let output: Uint8Array | undefined;
  const said: string[] = [];
  const collect = { write: (text: string | Uint8Array) => said.push(String(text)) > 0 };
  const args = ascArguments(basename(entry), "guest.wasm");
  const { error } = await asc.main([...args, "--baseDir", base], {
    stdout: collect,
    stderr: collect,
    readFile: (name, directory) => {
      const path = resolve(directory, name);
      return existsSync(path) ? readFileSync(path, "utf8") : null;
    },
    writeFile: (name, content) => {
      if (name.endsWith(".wasm") && typeof content !== "string") output = content;
    },
    listFiles: () => [],
  });
  if (error !== null || output === undefined)
    throw new GuestCompileError(join(base, basename(entry)), said.join(""));
  return output;
}

/** The compiler refused a guest. */
class GuestCompileError extends Error {
  constructor(path: string, output: string) {
    super(`asc could not compile ${path}:\n${output}`);
  }
}
