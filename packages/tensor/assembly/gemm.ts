/**
 * Matrix product of `f32`, `f64` and `i32`: C = A B.
 *
 * G1. Every element of C is one sum in ascending k: c = c + a[i,k] b[k,j], starting at +0. Blocking never splits that sum, so the
 *     result does not depend on sizes of blocks, on the number of threads or on strides.
 * G2. Strides are in elements and may be anything for A and B; a row of C is contiguous.
 *
 * Blocks as in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (ACM TOMS 34, 2008): a block of B is
 * packed into slivers of two vectors, a block of A into slivers of six rows, and a tile of 6 x 2 vectors of C stays in registers.
 */
import { lanes, madd } from "./lanes";
import { thin } from "./thin";
import { work } from "./work";

/** Rows of a tile. */
const MR: usize = 6;
/** Depth of a block: a sliver of B of this depth stays in the first-level cache. */
const KC: usize = 256;
/** Rows of a block of A; a multiple of MR. */
const MC: usize = 96;
/** Up to so many rows, packing B costs more than it saves. */
const THIN: usize = 4;
/** Bytes of a row of a block of B: 512 columns of f32. */
const NC_BYTES: usize = 2048;

/** Copy a block of B of `depth` x `columns` into slivers of two vectors, the last filled with zeros. */
// @ts-ignore: decorator
@inline
function packColumns<T>(b: usize, rows: usize, columns: usize, stepRow: usize, stepColumn: usize, to: usize): void {
  const wide: usize = lanes<T>() * 2;
  const row = stepRow * sizeof<T>();
  const column = stepColumn * sizeof<T>();
  for (let j: usize = 0; j < columns; j += wide) {
    const width = min(wide, columns - j);
    let from = b + j * column;
    if (width == wide && stepColumn == 1) {
      for (let p: usize = 0; p < rows; p++) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        from += row;
        to += 32;
      }
      continue;
    }
    for (let p: usize = 0; p < rows; p++) {
      for (let l: usize = 0; l < wide; l++) store<T>(to + l * sizeof<T>(), l < width ? load<T>(from + l * column) : <T>0);
      from += row;
      to += 32;
    }
  }
}

/** Copy a block of A of `rows` x `depth` into slivers of six rows, the last filled with zeros. */
// @ts-ignore: decorator
@inline
function packRows<T>(a: usize, rows: usize, depth: usize, stepRow: usize, stepColumn: usize, to: usize): void {
  const row = stepRow * sizeof<T>();
  const column = stepColumn * sizeof<T>();
  for (let i: usize = 0; i < rows; i += MR) {
    const height = min(MR, rows - i);
    let from = a + i * row;
    if (height == MR) {
      for (let p: usize = 0; p < depth; p++) {
        store<T>(to, load<T>(from));
        store<T>(to + sizeof<T>(), load<T>(from + row));
        store<T>(to + 2 * sizeof<T>(), load<T>(from + 2 * row));
        store<T>(to + 3 * sizeof<T>(), load<T>(from + 3 * row));
        store<T>(to + 4 * sizeof<T>(), load<T>(from + 4 * row));
        store<T>(to + 5 * sizeof<T>(), load<T>(from + 5 * row));
        from += column;
        to += MR * sizeof<T>();
      }
      continue;
    }
    for (let p: usize = 0; p < depth; p++) {
      for (let r: usize = 0; r < MR; r++) store<T>(to + r * sizeof<T>(), r < height ? load<T>(from + r * row) : <T>0);
      from += column;
      to += MR * sizeof<T>();
    }
  }
}

/** One tile of C: 6 rows of two vectors, `row` bytes apart; a sliver of A by a sliver of B. */
// @ts-ignore: decorator
@inline
function tile<T>(depth: usize, a: usize, b: usize, c: usize, row: usize, fresh: bool): void {
  let c00 = v128.splat<T>(<T>0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  if (!fresh) {
    c00 = v128.load(c), c01 = v128.load(c, 16);
    c10 = v128.load(c + row), c11 = v128.load(c + row, 16);
    c20 = v128.load(c + 2 * row), c21 = v128.load(c + 2 * row, 16);
    c30 = v128.load(c + 3 * row), c31 = v128.load(c + 3 * row, 16);
    c40 = v128.load(c + 4 * row), c41 = v128.load(c + 4 * row, 16);
    c50 = v128.load(c + 5 * row), c51 = v128.load(c + 5 * row, 16);
  }
  const end = a + depth * MR * sizeof<T>();
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let s = v128.load_splat<T>(a);
    c00 = madd<T>(s, b0, c00), c01 = madd<T>(s, b1, c01);
    s = v128.load_splat<T>(a, sizeof<T>());
    c10 = madd<T>(s, b0, c10), c11 = madd<T>(s, b1, c11);
    s = v128.load_splat<T>(a, 2 * sizeof<T>());
    c20 = madd<T>(s, b0, c20), c21 = madd<T>(s, b1, c21);
    s = v128.load_splat<T>(a, 3 * sizeof<T>());
    c30 = madd<T>(s, b0, c30), c31 = madd<T>(s, b1, c31);
    s = v128.load_splat<T>(a, 4 * sizeof<T>());
    c40 = madd<T>(s, b0, c40), c41 = madd<T>(s, b1, c41);
    s = v128.load_splat<T>(a, 5 * sizeof<T>());
    c50 = madd<T>(s, b0, c50), c51 = madd<T>(s, b1, c51);
    a += MR * sizeof<T>();
    b += 32;
  }
  v128.store(c, c00), v128.store(c, c01, 16);
  v128.store(c + row, c10), v128.store(c + row, c11, 16);
  v128.store(c + 2 * row, c20), v128.store(c + 2 * row, c21, 16);
  v128.store(c + 3 * row, c30), v128.store(c + 3 * row, c31, 16);
  v128.store(c + 4 * row, c40), v128.store(c + 4 * row, c41, 16);
  v128.store(c + 5 * row, c50), v128.store(c + 5 * row, c51, 16);
}

/** A tile that reaches over an edge of C: computed in `spare`, of which the part that exists is copied. */
// @ts-ignore: decorator
@inline
function edge<T>(depth: usize, a: usize, b: usize, c: usize, row: usize, fresh: bool, height: usize, width: usize, spare: usize): void {
  if (!fresh) {
    for (let r: usize = 0; r < height; r++) memory.copy(spare + r * 32, c + r * row, width * sizeof<T>());
  }
  tileCall<T>(depth, a, b, spare, 32, fresh);
  for (let r: usize = 0; r < height; r++) memory.copy(c + r * row, spare + r * 32, width * sizeof<T>());
}

/** The tile as a function of its own, so that the engine allocates its registers alone. */
function tileCall<T>(depth: usize, a: usize, b: usize, c: usize, row: usize, fresh: bool): void {
  tile<T>(depth, a, b, c, row, fresh);
}

/** All tiles of a packed block of A by a packed block of B. */
// @ts-ignore: decorator
@inline
function block<T>(rows: usize, columns: usize, depth: usize, a: usize, b: usize, c: usize, row: usize, fresh: bool, spare: usize): void {
  const wide: usize = lanes<T>() * 2;
  const sliver = depth * MR * sizeof<T>();
  for (let j: usize = 0; j < columns; j += wide) {
    const width = min(wide, columns - j);
    let from = a;
    for (let i: usize = 0; i < rows; i += MR) {
      const height = min(MR, rows - i);
      const at = c + i * row + j * sizeof<T>();
      if (height == MR && width == wide) tileCall<T>(depth, from, b, at, row, fresh);
      else edge<T>(depth, from, b, at, row, fresh, height, width, spare);
      from += sliver;
    }
    b += depth * 32;
  }
}

/** The product (G1, G2). */
// @ts-ignore: decorator
@inline
function gemm<T>(
  c: usize, a: usize, b: usize, m: usize, n: usize, k: usize,
  cRow: usize, aRow: usize, aColumn: usize, bRow: usize, bColumn: usize,
): void {
  if (m <= THIN && bColumn == 1) {
    thin<T>(c, a, b, m, n, k, cRow, aRow, aColumn, bRow);
    return;
  }
  const NC = NC_BYTES / sizeof<T>();
  const packedB = work + 1024, packedA = packedB + KC * NC_BYTES;
  const row = cRow * sizeof<T>();
  if (k == 0) {
    for (let i: usize = 0; i < m; i++) memory.fill(c + i * row, 0, n * sizeof<T>());
  }
  for (let j: usize = 0; j < n; j += NC) {
    const columns = min(NC, n - j);
    for (let p: usize = 0; p < k; p += KC) {
      const depth = min(KC, k - p);
      packColumns<T>(b + (p * bRow + j * bColumn) * sizeof<T>(), depth, columns, bRow, bColumn, packedB);
      for (let i: usize = 0; i < m; i += MC) {
        const rows = min(MC, m - i);
        packRows<T>(a + (i * aRow + p * aColumn) * sizeof<T>(), rows, depth, aRow, aColumn, packedA);
        block<T>(rows, columns, depth, packedA, packedB, c + i * row + j * sizeof<T>(), row, p == 0, work);
      }
    }
  }
}

export function gemm_f32(
  c: usize, a: usize, b: usize, m: usize, n: usize, k: usize,
  cRow: usize, aRow: usize, aColumn: usize, bRow: usize, bColumn: usize,
): void {
  gemm<f32>(c, a, b, m, n, k, cRow, aRow, aColumn, bRow, bColumn);
}

export function gemm_f64(
  c: usize, a: usize, b: usize, m: usize, n: usize, k: usize,
  cRow: usize, aRow: usize, aColumn: usize, bRow: usize, bColumn: usize,
): void {
  gemm<f64>(c, a, b, m, n, k, cRow, aRow, aColumn, bRow, bColumn);
}

export function gemm_i32(
  c: usize, a: usize, b: usize, m: usize, n: usize, k: usize,
  cRow: usize, aRow: usize, aColumn: usize, bRow: usize, bColumn: usize,
): void {
  gemm<i32>(c, a, b, m, n, k, cRow, aRow, aColumn, bRow, bColumn);
}
