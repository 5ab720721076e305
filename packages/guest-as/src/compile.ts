/**
 * A guest's source in AssemblyScript becomes a module, in memory.
 *
 * CG1. What is imported from `@glia-os/guest-as/assembly` is the SDK that is installed beside the guest, and where none is, this package's.
 * CG2. The module depends on the sources and the compiler alone, not on where they lie.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { CompileFailedError, CompilerMissingError } from "./errors.ts";
import { ascArguments, assemblySources } from "./sources.ts";

const SDK = "/@glia-os/guest-as/assembly/";

/**
 * The module as the compiler makes it; instrument it before it is loaded. Needs the optional peer `assemblyscript`; takes about a second.
 * @throws {CompileFailedError} with what the compiler said, {CompilerMissingError}
 */
export async function compileAssemblyScript(entry: string): Promise<Uint8Array> {
  const asc = await compiler();
  const path = resolve(entry);
  const base = dirname(path);
  if (!existsSync(path)) throw new CompileFailedError(path, "there is no such file");
  let output: Uint8Array | undefined;
  const said: string[] = [];
  const collect = { write: (text: string | Uint8Array) => said.push(String(text)) > 0 };
  const { error } = await asc.main([...ascArguments(basename(entry), "guest.wasm"), "--baseDir", base], {
    stdout: collect,
    stderr: collect,
    readFile: (name, directory) => sourceAt(resolve(directory, name)),
    writeFile: (name, content) => {
      if (name.endsWith(".wasm") && typeof content !== "string") output = content;
    },
    listFiles: () => [],
  });
  if (error !== null || output === undefined)
    throw new CompileFailedError(path, said.join("") || (error?.message ?? "it made no module"));
  return output;
}

async function compiler(): Promise<typeof import("assemblyscript/asc")> {
  try {
    return await import("assemblyscript/asc");
  } catch (cause) {
    throw new CompilerMissingError(cause);
  }
}

/** A file's text, or null when there is none (CG1). */
function sourceAt(path: string): string | null {
  if (existsSync(path)) return readFileSync(path, "utf8");
  const at = path.replaceAll(sep, "/").lastIndexOf(SDK);
  if (at < 0) return null;
  const own = join(assemblySources, path.slice(at + SDK.length));
  return existsSync(own) ? readFileSync(own, "utf8") : null;
}
