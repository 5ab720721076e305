/**
 * Backends in WebAssembly.
 *
 * W1. `simd` and `fixed` give the bits of docs/spec/tensor.md, which are those of the scalar backend. `fixed` is the same on every
 *     machine: where the engine has no vectors, it is the scalar code.
 * W2. `relaxed` fuses multiply and add where the processor does; products of i8 are exact in all of them.
 * W3. Kernels that have no vector form are the scalar ones, over the same memory.
 */
import type { Backend } from "../backend.ts";
import { BadBackendError } from "../errors.ts";
import { Heap, MOST_BYTES } from "../memory/heap.ts";
import { scalarKernels } from "../scalar/kernels.ts";
import { instantiateKernels, type KernelExports, kernelTable } from "./kernel-exports.ts";
import { kernelModule } from "./kernel-file.ts";
import { WasmMemory } from "./wasm-memory.ts";
import { type CompiledModule, engine } from "./web-assembly.ts";

/** Where working memory begins: 0 is the offset of nothing. */
export const WORK_AT = 64;

/** The end of working memory of `bytes`, as the pool wants it. */
export function endOfWork(from: number, bytes: number): number {
  return Math.ceil((from + bytes) / 64) * 64;
}

/**
 * A new backend of 128-bit vectors. Tensors may take `limitBytes` (default: what 32-bit offsets can name); 1.2 MB of working memory
 * are the backend's own and come on top.
 * @throws {BadBackendError} where the engine lacks the instructions
 */
export function wasmBackend(name: "simd" | "relaxed" | "fixed", limitBytes: number = MOST_BYTES): Backend {
  const module = kernelModule(name === "relaxed" ? "relaxed" : "simd");
  const { memory, exports, reserved } = firstInstance(module, limitBytes, false);
  return { name, memory, reserved, kernels: kernelTable(exports, scalarKernels(memory)) };
}

const workBytes: WeakMap<CompiledModule, number> = new WeakMap();

/** Bytes of working memory of an instance: a constant of each module. */
export function workBytesOf(module: CompiledModule, shared: boolean): number {
  let bytes = workBytes.get(module);
  if (bytes === undefined) {
    // A page is enough to ask for it.
    const memory = new (engine().Memory)({ initial: 1, maximum: 65_536, shared });
    bytes = instantiateKernels(module, memory, WORK_AT).work_bytes();
    workBytes.set(module, bytes);
  }
  return bytes;
}

/** A memory and an instance of the kernels over it. */
export interface FirstInstance {
  readonly memory: WasmMemory;
  readonly exports: KernelExports;
  /** First byte that tensors may use. */
  readonly reserved: number;
}

/** A memory with an instance whose working memory lies at its start. */
export function firstInstance(
  module: CompiledModule,
  limitBytes: number,
  shared: boolean,
  more = 0,
): FirstInstance {
  const bytes = workBytesOf(module, shared);
  const reserved = endOfWork(WORK_AT, bytes) + more;
  const memory = new WasmMemory(reserved + 64, Math.min(MOST_BYTES, limitBytes + reserved + 64), shared);
  return { memory, exports: instantiateKernels(module, memory.memory, WORK_AT), reserved };
}

/** The backend of durable and simulated guests: the same bits everywhere (W1). */
export function fixedBackend(limitBytes: number = MOST_BYTES): Backend {
  try {
    return wasmBackend("fixed", limitBytes);
  } catch (error) {
    if (!(error instanceof BadBackendError)) throw error;
    const memory = new Heap(limitBytes);
    return { name: "fixed", memory, reserved: 64, kernels: scalarKernels(memory) };
  }
}
