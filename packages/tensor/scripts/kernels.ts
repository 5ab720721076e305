/**
 * The kernels as WebAssembly, made once per state of their sources and kept in `build/kernels/HASH`; `build/kernels/NAME.wasm` are
 * the ones that code running from source loads.
 *
 * KS1. The output depends on the sources and the version of assemblyscript alone.
 * KS2. Files appear whole, by a rename: whoever reads one meanwhile gets the old or the new one.
 */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import asc from "assemblyscript/asc";

const root = join(import.meta.dirname, "..");
const sources = join(root, "assembly");
const require = createRequire(import.meta.url);

/** The builds of the kernels and what `asc` is told beyond what all of them share. */
const BUILDS: Readonly<Record<string, readonly string[]>> = {
  simd: [],
  relaxed: ["--enable", "relaxed-simd"],
  "simd-shared": ["--enable", "threads", "--sharedMemory"],
  "relaxed-shared": ["--enable", "relaxed-simd", "--enable", "threads", "--sharedMemory"],
};

/** Have the kernels in `build/kernels` as their sources say. @returns that folder */
export async function currentKernels(): Promise<string> {
  const kept = join(root, "build", "kernels");
  const folder = join(kept, sourcesHash());
  mkdirSync(folder, { recursive: true });
  for (const [name, flags] of Object.entries(BUILDS)) {
    const made = join(folder, `${name}.wasm`);
    if (!existsSync(made)) appear(made, (partial) => writeFileSync(partial, ""), await compile(flags));
    const used = join(kept, `${name}.wasm`);
    if (!existsSync(used) || !readFileSync(used).equals(readFileSync(made)))
      appear(used, (partial) => copyFileSync(made, partial));
  }
  return kept;
}

/** Put the kernels into another folder. */
export async function copyKernels(to: string): Promise<void> {
  const kept = await currentKernels();
  mkdirSync(to, { recursive: true });
  for (const name of Object.keys(BUILDS)) {
    appear(join(to, `${name}.wasm`), (partial) => copyFileSync(join(kept, `${name}.wasm`), partial));
  }
}

function appear(path: string, make: (partial: string) => void, bytes?: Uint8Array): void {
  const partial = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  make(partial);
  if (bytes !== undefined) writeFileSync(partial, bytes);
  renameSync(partial, path);
}

async function compile(flags: readonly string[]): Promise<Uint8Array> {
  let output: Uint8Array | undefined;
  const said: string[] = [];
  const collect = { write: (text: string | Uint8Array) => said.push(String(text)) > 0 };
  const shared = ["--runtime", "stub", "--importMemory", "--initialMemory", "1", "--maximumMemory", "65536"];
  const quick = ["-O3", "--noAssert", "--use", "abort=", "--enable", "simd"];
  const { error } = await asc.main(
    ["index.ts", "--outFile", "kernels.wasm", "--baseDir", sources, ...shared, ...quick, ...flags],
    {
      stdout: collect,
      stderr: collect,
      readFile: (name) =>
        existsSync(join(sources, name)) ? readFileSync(join(sources, name), "utf8") : null,
      writeFile: (name, content) => {
        if (name.endsWith(".wasm") && typeof content !== "string") output = content;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || output === undefined)
    throw new TypeError(`the kernels do not compile: ${said.join("")}${error?.message ?? ""}`);
  return output;
}

function sourcesHash(): string {
  const hash = createHash("sha256");
  hash.update(readFileSync(require.resolve("assemblyscript/package.json")));
  for (const path of ["scripts/kernels.ts", ...globSync("assembly/**/*.ts", { cwd: root }).sort()])
    hash.update(path).update(readFileSync(join(root, path)));
  return hash.digest("hex").slice(0, 32);
}
