/**
 * Makes the engine: QuickJS from npm and our part in AssemblyScript, merged into one guest of `glia.v1`, before instrumentation.
 *
 * EM1. The output depends on the sources and the exact versions of quickjs-wasi, assemblyscript and binaryen alone.
 * EM2. The merged module imports nothing but `glia.v1` and, last of all functions, `glia.sys.v1`; it exports `glia_main` and its memory.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import asc from "assemblyscript/asc";
import { withImportModule } from "./import-module.ts";

const root = join(import.meta.dirname, "..");
const require = createRequire(import.meta.url);
/** The sources of our part. */
export const engineSources: string = join(root, "assembly", "engine");
/** QuickJS as its package ships it. */
export const quickjsPath: string = require.resolve("quickjs-wasi/quickjs.wasm");

/** The merged module, not yet instrumented. */
export async function engineModule(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "glia-engine-"));
  try {
    for (const name of ["main", "wasi", "sys"]) {
      const compiled: Uint8Array = await compileScript(join(engineSources, `${name}.ts`));
      const ours = name === "sys" ? compiled : withImportModule(compiled, "env", "memory", "qjs");
      writeFileSync(join(folder, `${name}.wasm`), ours);
    }
    return merged(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function merged(folder: string): Uint8Array {
  const features = [
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
  ];
  const inputs = [quickjsPath, "qjs", "main.wasm", "env", "wasi.wasm", "wasi_snapshot_preview1"];
  // Last: an agent that asks nothing of the outside goes without the imports of this one.
  inputs.push("sys.wasm", "sys");
  binaryen(folder, "wasm-merge", [...inputs, ...features, "--rename-export-conflicts", "-o", "merged.wasm"]);
  writeFileSync(join(folder, "roots.json"), JSON.stringify(ROOTS));
  binaryen(folder, "wasm-metadce", [
    "merged.wasm",
    ...features,
    "--graph-file=roots.json",
    "-o",
    "needed.wasm",
  ]);
  // Each part has brought its own import of the same call; what is imported last depends on it.
  binaryen(folder, "wasm-opt", [
    "needed.wasm",
    ...features,
    "--duplicate-import-elimination",
    "-o",
    "engine.wasm",
  ]);
  return readFileSync(join(folder, "engine.wasm"));
}

const ROOTS = [
  { name: "outside", root: true, reaches: ["main", "memory"] },
  { name: "main", export: "glia_main" },
  { name: "memory", export: "memory" },
];

function binaryen(folder: string, tool: string, args: readonly string[]): void {
  const path = join(dirname(require.resolve("binaryen")), "bin", tool);
  execFileSync(process.execPath, [path, ...args], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}

async function compileScript(entry: string): Promise<Uint8Array> {
  let output: Uint8Array | undefined;
  const said: string[] = [];
  const collect = { write: (text: string | Uint8Array) => said.push(String(text)) > 0 };
  const args = [
    basename(entry),
    "--outFile",
    "out.wasm",
    "-O3",
    "--runtime",
    "stub",
    "--noAssert",
    "--use",
    "abort=",
  ];
  const memory = ["--importMemory", "--noExportMemory", "--baseDir", dirname(entry)];
  const { error } = await asc.main([...args, ...memory], {
    stdout: collect,
    stderr: collect,
    writeFile: (_name, content) => {
      if (typeof content !== "string") output = content;
    },
    listFiles: () => [],
  });
  if (error !== null || output === undefined) throw new EngineBuildError(entry, said.join(""));
  return output;
}

/** The compiler refused the engine's sources. */
class EngineBuildError extends Error {
  constructor(path: string, output: string) {
    super(`asc could not compile ${path}:\n${output}`);
  }
}
