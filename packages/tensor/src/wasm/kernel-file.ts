/** Finds and compiles the kernels that the package ships. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BadBackendError } from "../errors.ts";
import { type CompiledModule, webAssembly } from "./web-assembly.ts";

/** The builds of the kernels: of which instructions they are, and whether their memory is shared between threads. */
export type KernelBuild = "simd" | "relaxed" | "simd-shared" | "relaxed-shared";

const folder = import.meta.url.endsWith(".ts") ? "../../build/kernels/" : "./kernels/";
const compiled: Map<KernelBuild, CompiledModule> = new Map();

/** The kernels of a build, compiled once per thread. @throws {BadBackendError} where the engine refuses them or the file is missing */
export function kernelModule(build: KernelBuild): CompiledModule {
  let module = compiled.get(build);
  if (module === undefined) {
    module = compile(build);
    compiled.set(build, module);
  }
  return module;
}

function compile(build: KernelBuild): CompiledModule {
  const path = fileURLToPath(new URL(`${folder}${build}.wasm`, import.meta.url));
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new BadBackendError(build, `has no kernels: ${path} cannot be read (${String(cause)})`);
  }
  if (webAssembly?.validate(bytes) !== true)
    throw new BadBackendError(build, "needs instructions that this WebAssembly engine does not have");
  return new webAssembly.Module(bytes);
}
