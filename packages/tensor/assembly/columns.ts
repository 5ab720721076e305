/**
 * Reductions of rows that lie side by side, as the columns of a matrix do: the rows of a cache line at a time.
 *
 * CO1. Every row is summed in stripes as in `striped.ts`, and gives the same bits.
 * CO2. Four vectors of rows stay together; what is left of the rows is for the caller.
 */
import { madd } from "./lanes";
import { PRODUCT, SQUARE, TERM } from "./striped";
import { work } from "./work";

const BLOCK: usize = 4096;
/** Bytes of the rows that are reduced at once. */
const LINE: usize = 64;

/** Rows that are reduced at once. */
// @ts-ignore: decorator
@inline
export function together<T>(): usize {
  return LINE / sizeof<T>();
}

/** Add the term of element i of all rows to a stripe. */
// @ts-ignore: decorator
@inline
function add<T>(kind: i32, stripe: usize, at: usize, y: v128): void {
  for (let q: usize = 0; q < LINE; q += 16) {
    const sum = v128.load(stripe + q), x = v128.load(at + q);
    if (kind == TERM) v128.store(stripe + q, v128.add<T>(sum, x));
    else v128.store(stripe + q, madd<T>(x, kind == SQUARE ? x : y, sum));
  }
}

/** Add the sums of one block to the totals, f64 each. Strides in bytes. */
// @ts-ignore: decorator
@inline
function block<T>(kind: i32, a: usize, b: usize, count: usize, sa: usize, sb: usize, totals: usize): void {
  const stripes = work + 1024;
  const most: usize = LINE / sizeof<T>();
  memory.fill(stripes, 0, most * LINE);
  for (let i: usize = 0; i < count; i++) {
    add<T>(kind, stripes + (i & (most - 1)) * LINE, a, kind == PRODUCT ? v128.load_splat<T>(b) : v128.splat<T>(<T>0));
    a += sa, b += sb;
  }
  for (let half = most / 2; half >= 1; half /= 2) {
    for (let at: usize = 0; at < half * LINE; at += 16) {
      v128.store(stripes + at, v128.add<T>(v128.load(stripes + at), v128.load(stripes + at + half * LINE)));
    }
  }
  for (let r: usize = 0; r < most; r++) {
    store<f64>(totals + 8 * r, load<f64>(totals + 8 * r) + <f64>load<T>(stripes + r * sizeof<T>()));
  }
}

/** The f64 totals of `together<T>()` rows that begin side by side at `a`, where the result says. Strides in elements. */
// @ts-ignore: decorator
@inline
export function totals<T>(kind: i32, a: usize, b: usize, n: usize, sa: usize, sb: usize): usize {
  const at = work + 2048;
  memory.fill(at, 0, 8 * together<T>());
  sa *= sizeof<T>(), sb *= sizeof<T>();
  for (let first: usize = 0; first < n; first += BLOCK) {
    const count = min(BLOCK, n - first);
    block<T>(kind, a, b, count, sa, sb, at);
    a += count * sa, b += count * sb;
  }
  return at;
}

/** The least or greatest of `together<T>()` rows that begin side by side at `a`, where the result says. */
// @ts-ignore: decorator
@inline
export function extremes<T>(least: bool, a: usize, n: usize, sa: usize): usize {
  let x0 = v128.load(a), x1 = v128.load(a, 16), x2 = v128.load(a, 32), x3 = v128.load(a, 48);
  for (let i: usize = 1; i < n; i++) {
    a += sa * sizeof<T>();
    const y0 = v128.load(a), y1 = v128.load(a, 16), y2 = v128.load(a, 32), y3 = v128.load(a, 48);
    x0 = least ? v128.min<T>(x0, y0) : v128.max<T>(x0, y0), x1 = least ? v128.min<T>(x1, y1) : v128.max<T>(x1, y1);
    x2 = least ? v128.min<T>(x2, y2) : v128.max<T>(x2, y2), x3 = least ? v128.min<T>(x3, y3) : v128.max<T>(x3, y3);
  }
  v128.store(work, x0), v128.store(work, x1, 16), v128.store(work, x2, 32), v128.store(work, x3, 48);
  return work;
}
