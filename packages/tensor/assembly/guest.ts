/**
 * The kernels for guests: `import { gemm_f32, useHeap } from "@glia-os/tensor/assembly/guest"`, compiled with `--enable simd`.
 *
 * They work on addresses, such as `changetype<usize>(array)` of a `StaticArray<f32>`; the parameters are those of `Kernels` in
 * `src/backend.ts`. What a guest does not use is not compiled into it.
 */
import { set_work, WORK_BYTES } from "./work";

export * from "./comparing";
export * from "./elementwise";
export * from "./gemm";
export { gemmI8 } from "./gemm-int8";
export * from "./integer-sums";
export * from "./moves";
export * from "./order";
export * from "./real";
export * from "./reductions";
export * from "./rows";

let prepared = false;

/** Take the working memory of the kernels, 1.2 MB, from the guest's heap. Call it before the first kernel; again does nothing. */
export function useHeap(): void {
  if (prepared) return;
  prepared = true;
  set_work((heap.alloc(WORK_BYTES + 63) + 63) & ~63);
}
