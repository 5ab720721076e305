/**
 * Matrix product of `i8` by `i8` into `i32`, exact: C = A B modulo 2^32, which is the product where k is at most 131072.
 *
 * Q1. The relaxed build multiplies by `i32x4.relaxed_dot_i8x16_i7x16_add_s`, whose result is the environment's choice unless the second
 *     operand is in 0..127. The choice is one for all of a program's run (WebAssembly 3.0, relaxed vector instructions), so `probeDot`
 *     finds it once from results. Where the operand counts as an exact unsigned or signed byte, all values of A go in as they are
 *     (plus 128 if unsigned). Elsewhere nothing but 0..127 is given to it: where the values of A, or of B, differ by at most 127,
 *     the least is subtracted and its share added back; otherwise a + 128 = 2 h + l with h in 0..127 and l in 0..1, in two passes.
 * Q2. The plain build widens to `i16` and multiplies by `i32x4.dot_i16x8_s`, which is exact for all values of 8 bits.
 * Q3. Strides are in elements and may be anything for A and B; a row of C is contiguous.
 *
 * Blocks as in `gemm.ts`, in the same working memory. A lane of a packed operand holds GROUP successive values of k.
 */

import { work } from "./work";

/** Rows of a tile. */
const MR: usize = 6;
/** Columns of a tile. */
const NR: usize = 8;
/** Depth of a block; a multiple of 4. */
const KC: usize = 1024;
/** Rows of a block of A; a multiple of MR. */
const MC: usize = 96;
/** Columns of a block of B. */
const NC: usize = 512;

/** How the factor that must be in 0..127 is made (Q1). */
const SPLIT_A = 0;
const SHIFT_A = 1;
const SHIFT_B = 2;

/** What the second operand of the relaxed dot product may be. */
const SEVEN_BITS = 0;
const UNSIGNED = 1;
const SIGNED = 2;

/** As `probeDot` finds it; the least where nobody asked. */
let operand: i32 = SEVEN_BITS;

/** Values of k in a lane. */
// @ts-ignore: decorator
@inline
function group(): usize {
  return ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
}

/** The greatest less the least of a matrix in the upper 16 bits, the least (signed) in the lower. */
function span(from: usize, rows: usize, columns: usize, stepRow: usize, stepColumn: usize): i32 {
  let low = i8x16.splat(127), high = i8x16.splat(-128);
  let least: i32 = 127, most: i32 = -128;
  for (let i: usize = 0; i < rows; i++) {
    let at = from + i * stepRow;
    let j: usize = 0;
    if (stepColumn == 1) {
      for (; j + 16 <= columns; j += 16) {
        const x = v128.load(at + j);
        low = i8x16.min_s(low, x), high = i8x16.max_s(high, x);
      }
    }
    for (; j < columns; j++) {
      const x = <i32>load<i8>(at + j * stepColumn);
      least = min(least, x), most = max(most, x);
    }
  }
  // The signed least and greatest of sixteen lanes by way of halves.
  low = i8x16.min_s(low, i8x16.shuffle(low, low, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  high = i8x16.max_s(high, i8x16.shuffle(high, high, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  low = i8x16.min_s(low, i8x16.shuffle(low, low, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3));
  high = i8x16.max_s(high, i8x16.shuffle(high, high, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3));
  for (let l: i32 = 0; l < 4; l++) {
    least = min(least, <i32>(i32x4.extract_lane(low, 0) << (24 - 8 * l)) >> 24);
    most = max(most, <i32>(i32x4.extract_lane(high, 0) << (24 - 8 * l)) >> 24);
  }
  return ((most - least) << 16) | (least & 0xffff);
}

/** One lane of a packed operand: GROUP values `step` apart, of which `count` exist. */
// @ts-ignore: decorator
@inline
function lane(from: usize, step: usize, count: usize): i32 {
  let packed: i32 = 0;
  const bits = 32 / <i32>group();
  const mask = <i32>(<u32>0xffffffff >> (32 - bits));
  for (let g: usize = 0; g < group(); g++) {
    if (g < count) packed |= (<i32>load<i8>(from + g * step) & mask) << (<i32>g * bits);
  }
  return packed;
}

/** One lane of neighbouring values, all of which exist. */
// @ts-ignore: decorator
@inline
function pair(from: usize): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) return load<i32>(from);
  return (<i32>load<i8>(from) & 0xffff) | (<i32>load<i8>(from, 1) << 16);
}

/** Rows of A into slivers of six; the parts that do not exist are zero. */
function packRows(a: usize, rows: usize, depth: usize, stepRow: usize, stepColumn: usize, to: usize): void {
  const jump = group() * stepColumn;
  for (let i: usize = 0; i < rows; i += MR) {
    const height = min(MR, rows - i);
    const from = a + i * stepRow;
    for (let p: usize = 0; p < depth; p += group()) {
      const count = min(group(), depth - p);
      const at = from + (p / group()) * jump;
      if (height == MR && stepColumn == 1 && count == group()) {
        store<i32>(to, pair(at));
        store<i32>(to, pair(at + stepRow), 4);
        store<i32>(to, pair(at + 2 * stepRow), 8);
        store<i32>(to, pair(at + 3 * stepRow), 12);
        store<i32>(to, pair(at + 4 * stepRow), 16);
        store<i32>(to, pair(at + 5 * stepRow), 20);
        to += 24;
        continue;
      }
      for (let r: usize = 0; r < MR; r++, to += 4) store<i32>(to, r < height ? lane(at + r * stepRow, stepColumn, count) : 0);
    }
  }
}

/** Eight neighbouring columns of GROUP whole rows into two vectors. */
// @ts-ignore: decorator
@inline
function interleave(from: usize, row: usize, to: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const r0 = v128.load64_zero(from), r1 = v128.load64_zero(from + row);
    const r2 = v128.load64_zero(from + 2 * row), r3 = v128.load64_zero(from + 3 * row);
    const s = i8x16.shuffle(r0, r1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const t = i8x16.shuffle(r2, r3, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    v128.store(to, i16x8.shuffle(s, t, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to, i16x8.shuffle(s, t, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    return;
  }
  const s = v128.load_ext<i8>(from), t = v128.load_ext<i8>(from + row);
  v128.store(to, i16x8.shuffle(s, t, 0, 8, 1, 9, 2, 10, 3, 11));
  v128.store(to, i16x8.shuffle(s, t, 4, 12, 5, 13, 6, 14, 7, 15), 16);
}

/** Columns of B into slivers of eight; the parts that do not exist are zero. */
function packColumns(b: usize, depth: usize, columns: usize, stepRow: usize, stepColumn: usize, to: usize): void {
  for (let j: usize = 0; j < columns; j += NR) {
    const width = min(NR, columns - j);
    for (let p: usize = 0; p < depth; p += group(), to += 4 * NR) {
      const count = min(group(), depth - p);
      const at = b + p * stepRow + j * stepColumn;
      if (width == NR && count == group() && stepColumn == 1) {
        interleave(at, stepRow, to);
        continue;
      }
      for (let l: usize = 0; l < NR; l++) store<i32>(to + 4 * l, l < width ? lane(at + l * stepColumn, stepRow, count) : 0);
    }
  }
}

/** Subtract `low` from every byte. */
function shift(from: usize, bytes: usize, low: i32): void {
  const x = i8x16.splat(<i8>low);
  for (let end = from + bytes; from < end; from += 16) v128.store(from, i8x16.sub(v128.load(from), x));
}

/** Split every byte a: h = (a + 128) / 2 stays, l = (a + 128) % 2 goes to `to`. */
function split(from: usize, bytes: usize, to: usize): void {
  const bias = i8x16.splat(-128), one = i8x16.splat(1);
  for (let end = from + bytes; from < end; from += 16, to += 16) {
    const x = v128.xor(v128.load(from), bias);
    v128.store(to, v128.and(x, one));
    v128.store(from, i8x16.shr_u(x, 1));
  }
}

/** acc + the dot products of the lanes of `b` and of `s`; the one that is in 0..127 in the relaxed build is B when `shiftB` (Q1). */
// @ts-ignore: decorator
@inline
function dot(s: v128, b: v128, acc: v128, shiftB: bool): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return shiftB ? i32x4.relaxed_dot_i8x16_i7x16_add_s(s, b, acc) : i32x4.relaxed_dot_i8x16_i7x16_add_s(b, s, acc);
  }
  return i32x4.add(acc, i32x4.dot_i16x8_s(s, b));
}

/** Add one tile to C: 6 rows of 8 columns, `row` bytes apart. `low` is a second sliver of A, or 0; the first then counts twice. */
// @ts-ignore: decorator
@inline
function tile(groups: usize, a: usize, low: usize, b: usize, c: usize, row: usize, shiftB: bool): void {
  let c00 = i32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  const start = b;
  for (;;) {
    const end = a + groups * MR * 4;
    b = start;
    while (a < end) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let s = v128.load32_splat(a);
      c00 = dot(s, b0, c00, shiftB), c01 = dot(s, b1, c01, shiftB);
      s = v128.load32_splat(a, 4);
      c10 = dot(s, b0, c10, shiftB), c11 = dot(s, b1, c11, shiftB);
      s = v128.load32_splat(a, 8);
      c20 = dot(s, b0, c20, shiftB), c21 = dot(s, b1, c21, shiftB);
      s = v128.load32_splat(a, 12);
      c30 = dot(s, b0, c30, shiftB), c31 = dot(s, b1, c31, shiftB);
      s = v128.load32_splat(a, 16);
      c40 = dot(s, b0, c40, shiftB), c41 = dot(s, b1, c41, shiftB);
      s = v128.load32_splat(a, 20);
      c50 = dot(s, b0, c50, shiftB), c51 = dot(s, b1, c51, shiftB);
      a += MR * 4, b += NR * 4;
    }
    if (low == 0) break;
    c00 = i32x4.shl(c00, 1), c01 = i32x4.shl(c01, 1), c10 = i32x4.shl(c10, 1), c11 = i32x4.shl(c11, 1);
    c20 = i32x4.shl(c20, 1), c21 = i32x4.shl(c21, 1), c30 = i32x4.shl(c30, 1), c31 = i32x4.shl(c31, 1);
    c40 = i32x4.shl(c40, 1), c41 = i32x4.shl(c41, 1), c50 = i32x4.shl(c50, 1), c51 = i32x4.shl(c51, 1);
    a = low, low = 0;
  }
  grow(c, c00, c01), grow(c + row, c10, c11), grow(c + 2 * row, c20, c21);
  grow(c + 3 * row, c30, c31), grow(c + 4 * row, c40, c41), grow(c + 5 * row, c50, c51);
}

// @ts-ignore: decorator
@inline
function grow(c: usize, x: v128, y: v128): void {
  v128.store(c, i32x4.add(v128.load(c), x));
  v128.store(c, i32x4.add(v128.load(c, 16), y), 16);
}

function tileOfA(groups: usize, a: usize, low: usize, b: usize, c: usize, row: usize): void {
  tile(groups, a, low, b, c, row, false);
}

function tileOfB(groups: usize, a: usize, b: usize, c: usize, row: usize): void {
  tile(groups, a, 0, b, c, row, true);
}

/** All tiles of a packed block of A by a packed block of B. */
function block(
  rows: usize, columns: usize, groups: usize, a: usize, low: usize, b: usize, c: usize, row: usize, mode: i32, spare: usize,
): void {
  for (let j: usize = 0; j < columns; j += NR) {
    const width = min(NR, columns - j);
    for (let i: usize = 0; i < rows; i += MR) {
      const height = min(MR, rows - i);
      const whole = height == MR && width == NR;
      const at = c + i * row + j * 4;
      const to = whole ? at : spare;
      const step = whole ? row : NR * 4;
      if (!whole) memory.fill(spare, 0, MR * NR * 4);
      const from = i * groups * 4;
      if (mode == SHIFT_B) tileOfB(groups, a + from, b, to, step);
      else tileOfA(groups, a + from, low == 0 ? 0 : low + from, b, to, step);
      if (whole) continue;
      for (let r: usize = 0; r < height; r++) {
        for (let l: usize = 0; l < width; l++) {
          const cell = at + r * row + 4 * l;
          store<i32>(cell, load<i32>(cell) + load<i32>(spare + r * NR * 4 + 4 * l));
        }
      }
    }
    b += groups * NR * 4;
  }
}

/** C = low * (sums of the columns of B) in every row. */
function fillByColumns(m: usize, n: usize, k: usize, b: usize, bRow: usize, bColumn: usize, c: usize, row: usize, low: i32): void {
  memory.fill(c, 0, n * 4);
  let j: usize = 0;
  if (low != 0) {
    if (bColumn == 1) {
      for (; j + NR <= n; j += NR) sumColumns(b + j, k, bRow, c + 4 * j, low);
    }
    for (; j < n; j++) {
      let sum: i32 = 0;
      for (let p: usize = 0; p < k; p++) sum += <i32>load<i8>(b + p * bRow + j * bColumn);
      store<i32>(c + 4 * j, low * sum);
    }
  }
  for (let i: usize = 1; i < m; i++) memory.copy(c + i * row, c, n * 4);
}

/** low * (sums of eight neighbouring columns). Sixteen bits hold the sum of 256 values. */
function sumColumns(b: usize, k: usize, bRow: usize, to: usize, low: i32): void {
  let x = i32x4.splat(0), y = x;
  for (let p: usize = 0; p < k; ) {
    let part = i16x8.splat(0);
    for (const end = min(k, p + 256); p < end; p++) part = i16x8.add(part, v128.load_ext<i8>(b + p * bRow));
    x = i32x4.add(x, i32x4.extend_low_i16x8_s(part));
    y = i32x4.add(y, i32x4.extend_high_i16x8_s(part));
  }
  const factor = i32x4.splat(low);
  v128.store(to, i32x4.mul(x, factor));
  v128.store(to, i32x4.mul(y, factor), 16);
}

/** C = low * (sum of the row of A) in every row. */
function fillByRows(m: usize, n: usize, k: usize, a: usize, aRow: usize, aColumn: usize, c: usize, row: usize, low: i32): void {
  for (let i: usize = 0; i < m; i++) {
    let sum: i32 = 0;
    for (let p: usize = 0; p < k; p++) sum += <i32>load<i8>(a + i * aRow + p * aColumn);
    for (let j: usize = 0; j < n; j++) store<i32>(c + i * row + 4 * j, low * sum);
  }
}

/** The product (Q1, Q2, Q3). */
export function gemmI8(
  c: usize, a: usize, b: usize, m: usize, n: usize, k: usize,
  cRow: usize, aRow: usize, aColumn: usize, bRow: usize, bColumn: usize,
): void {
  const row = cRow * 4;
  let mode: i32 = SHIFT_A, low: i32 = 0;
  if (m == 0 || n == 0) return;
  if (ASC_FEATURE_RELAXED_SIMD && k != 0) {
    if (operand == UNSIGNED) low = -128;
    else if (operand == SEVEN_BITS) {
      const ofA = span(a, m, k, aRow, aColumn), ofB = span(b, k, n, bRow, bColumn);
      low = ofA << 16 >> 16;
      if (ofA >>> 16 > 127) {
        mode = ofB >>> 16 <= 127 ? SHIFT_B : SPLIT_A;
        low = mode == SHIFT_B ? ofB << 16 >> 16 : -128;
      }
    }
  }
  if (mode == SHIFT_B) fillByRows(m, n, k, a, aRow, aColumn, c, row, low);
  else fillByColumns(m, n, k, b, bRow, bColumn, c, row, low);
  const packedB = work + 1024, packedA = packedB + KC * NC * 2;
  for (let j: usize = 0; j < n; j += NC) {
    for (let p: usize = 0; p < k; p += KC) {
      const columns = min(NC, n - j), depth = min(KC, k - p);
      const groups = (depth + group() - 1) / group();
      packColumns(b + p * bRow + j * bColumn, depth, columns, bRow, bColumn, packedB);
      if (mode == SHIFT_B) shift(packedB, (columns + NR - 1) / NR * NR * groups * 4, low);
      for (let i: usize = 0; i < m; i += MC) {
        const rows = min(MC, m - i);
        packRows(a + i * aRow + p * aColumn, rows, depth, aRow, aColumn, packedA);
        const second = spread(mode, packedA, (rows + MR - 1) / MR * MR * groups * 4, low);
        block(rows, columns, groups, packedA, second, packedB, c + i * row + j * 4, row, mode, work);
      }
    }
  }
}

/** Bring the packed values of A into the range of the operand (Q1); where the second sliver begins, 0 where there is none. */
function spread(mode: i32, packed: usize, bytes: usize, low: i32): usize {
  const second = packed + MC * KC;
  if (mode == SPLIT_A) split(packed, bytes, second);
  else if (mode == SHIFT_A && low != 0) shift(packed, bytes, low);
  return mode == SPLIT_A ? second : 0;
}

/** What the second operand may be, from all pairs of bytes: 0 only 0..127, 1 unsigned, 2 signed (Q1). */
export function probeDot(): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return SEVEN_BITS;
  let unsigned = true, signed = true;
  for (let x: i32 = -128; x < 128; x++) {
    const other = x ^ 0x55;
    const one = i16x8.splat(<i16>((x & 255) | (other << 8)));
    for (let y: i32 = 0; y < 256; y++) {
      const got = i32x4.relaxed_dot_i8x16_i7x16_add_s(one, i8x16.splat(<i8>y), i32x4.splat(x * 1000));
      const sum = 2 * (x + <i32><i8>other);
      if (!i32x4.all_true(i32x4.eq(got, i32x4.splat(x * 1000 + sum * y)))) unsigned = false;
      if (!i32x4.all_true(i32x4.eq(got, i32x4.splat(x * 1000 + sum * <i32><i8>y)))) signed = false;
    }
    const same = i8x16.splat(<i8>x);
    const most = i32x4.relaxed_dot_i8x16_i7x16_add_s(same, i8x16.splat(-1), i32x4.splat(7));
    if (i32x4.extract_lane(most, 0) != 7 + 4 * 255 * x) unsigned = false;
    if (i32x4.extract_lane(most, 0) != 7 - 4 * x) signed = false;
  }
  return unsigned ? UNSIGNED : signed ? SIGNED : SEVEN_BITS;
}

/** Keep to what `probeDot` found, here or in another instance of this program, or to 0. */
export function setDot(to: i32): void {
  operand = to;
}
