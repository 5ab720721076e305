/**
 * Products of few rows: B is read once, as it lies, and nothing is packed. Every element is the same sum in ascending k as in
 * `gemm.ts`, so the bits do not depend on which of them ran.
 */
import { lanes, madd } from "./lanes";

/** Columns `j` to `j + 8 vectors` of one row of C. Strides in bytes. */
// @ts-ignore: decorator
@inline
function wide<T>(c: usize, a: usize, b: usize, k: usize, aColumn: usize, bRow: usize): void {
  let c0 = v128.splat<T>(<T>0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  for (let p: usize = 0; p < k; p++) {
    const s = v128.load_splat<T>(a);
    c0 = madd<T>(s, v128.load(b), c0), c1 = madd<T>(s, v128.load(b, 16), c1);
    c2 = madd<T>(s, v128.load(b, 32), c2), c3 = madd<T>(s, v128.load(b, 48), c3);
    c4 = madd<T>(s, v128.load(b, 64), c4), c5 = madd<T>(s, v128.load(b, 80), c5);
    c6 = madd<T>(s, v128.load(b, 96), c6), c7 = madd<T>(s, v128.load(b, 112), c7);
    a += aColumn, b += bRow;
  }
  v128.store(c, c0), v128.store(c, c1, 16), v128.store(c, c2, 32), v128.store(c, c3, 48);
  v128.store(c, c4, 64), v128.store(c, c5, 80), v128.store(c, c6, 96), v128.store(c, c7, 112);
}

/** One vector of one row. */
// @ts-ignore: decorator
@inline
function narrow<T>(c: usize, a: usize, b: usize, k: usize, aColumn: usize, bRow: usize): void {
  let sum = v128.splat<T>(<T>0);
  for (let p: usize = 0; p < k; p++) {
    sum = madd<T>(v128.load_splat<T>(a), v128.load(b), sum);
    a += aColumn, b += bRow;
  }
  v128.store(c, sum);
}

/** One element: lane 0 of a vector, so that it is rounded as all others are. */
// @ts-ignore: decorator
@inline
function single<T>(c: usize, a: usize, b: usize, k: usize, aColumn: usize, bRow: usize): void {
  let sum = v128.splat<T>(<T>0);
  for (let p: usize = 0; p < k; p++) {
    sum = madd<T>(v128.load_splat<T>(a), v128.load_splat<T>(b), sum);
    a += aColumn, b += bRow;
  }
  store<T>(c, v128.extract_lane<T>(sum, 0));
}

/** The product of few rows with a B whose rows are contiguous. Strides in elements. */
// @ts-ignore: decorator
@inline
export function thin<T>(
  c: usize, a: usize, b: usize, m: usize, n: usize, k: usize, cRow: usize, aRow: usize, aColumn: usize, bRow: usize,
): void {
  const step = aColumn * sizeof<T>(), row = bRow * sizeof<T>();
  const vector = lanes<T>();
  for (let i: usize = 0; i < m; i++, a += aRow * sizeof<T>(), c += cRow * sizeof<T>()) {
    let j: usize = 0;
    for (; j + 8 * vector <= n; j += 8 * vector) wide<T>(c + j * sizeof<T>(), a, b + j * sizeof<T>(), k, step, row);
    for (; j + vector <= n; j += vector) narrow<T>(c + j * sizeof<T>(), a, b + j * sizeof<T>(), k, step, row);
    for (; j < n; j++) single<T>(c + j * sizeof<T>(), a, b + j * sizeof<T>(), k, step, row);
  }
}
