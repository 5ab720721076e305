/** The backend in plain JavaScript: runs wherever JavaScript does, gives the bits of docs/spec/tensor.md. */
import type { Backend } from "../backend.ts";
import { Heap } from "../memory/heap.ts";
import { scalarKernels } from "./kernels.ts";

/** A new scalar backend with a memory of its own, of at most `limitBytes` (default: what 32-bit offsets can name). */
export function scalarBackend(limitBytes?: number): Backend {
  const memory = new Heap(limitBytes);
  return { name: "scalar", memory, reserved: 64, kernels: scalarKernels(memory) };
}
