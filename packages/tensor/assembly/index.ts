/** The kernels' exports: one module of pure functions over the memory that the host brings. */
export { peak_f32 } from "./peak";
import { gemm, gemmWorkspace } from "./gemm";

/** Bytes of working memory of `gemm_f32` and `gemm_f64`. */
export function gemm_workspace(): usize {
  return max(gemmWorkspace<f32>(), gemmWorkspace<f64>());
}

export function gemm_f32(
  m: usize, n: usize, k: usize, a: usize, aRow: usize, aColumn: usize, b: usize, bRow: usize, bColumn: usize,
  c: usize, cRow: usize, add: bool, work: usize,
): void {
  gemm<f32>(m, n, k, a, aRow, aColumn, b, bRow, bColumn, c, cRow, add, work);
}

export function gemm_f64(
  m: usize, n: usize, k: usize, a: usize, aRow: usize, aColumn: usize, b: usize, bRow: usize, bColumn: usize,
  c: usize, cRow: usize, add: bool, work: usize,
): void {
  gemm<f64>(m, n, k, a, aRow, aColumn, b, bRow, bColumn, c, cRow, add, work);
}
