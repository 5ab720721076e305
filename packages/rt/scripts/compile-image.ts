/** An image from its source to a module, in memory, with the flags of docs/spec/embedded-image.md. */
import { join } from "node:path";
import asc from "assemblyscript/asc";

/** Nothing newer than the first version of WebAssembly, so that small engines run it; one page that cannot grow. */
const FLAGS =
  "--optimizeLevel 3 --shrinkLevel 2 --converge --runtime stub --noAssert --use abort= " +
  "--initialMemory 1 --maximumMemory 1 --memoryBase 16 " +
  "--disable bulk-memory --disable sign-extension --disable nontrapping-f2i --disable mutable-globals";

/** Compile the image `entry`, a path in this package; by default the one that comes with it. Throws what the compiler says. */
export async function compileImage(entry = "assembly/station.ts"): Promise<Uint8Array> {
  let module: Uint8Array | undefined;
  const said: string[] = [];
  const collect = { write: (text: string | Uint8Array) => said.push(String(text)) > 0 };
  const base = join(import.meta.dirname, "..");
  const { error } = await asc.main(
    [entry, "--outFile", "image.wasm", ...FLAGS.split(" "), "--baseDir", base],
    {
      stdout: collect,
      stderr: collect,
      writeFile: (name, content) => {
        if (name.endsWith(".wasm") && typeof content !== "string") module = content;
      },
    },
  );
  if (error !== null || module === undefined) throw new TypeError(said.join("") || String(error));
  return module;
}
