/**
 * The one order in which floats are summed (rule N5 of the page on tensors).
 *
 * S1. A row is cut into blocks of 4096 terms. Term i of a block goes to stripe i mod L, L the lanes of four vectors; then stripe j takes
 *     j + L/2, j + L/4, down to one. Sums of blocks are added in f64.
 * S2. The plain build rounds every term; the relaxed build may fuse a term's product with its sum.
 */
import { madd } from "./lanes";
import { work } from "./work";

export const TERM = 0;
export const PRODUCT = 1;
export const SQUARE = 2;
export const DEVIATION = 3;

const BLOCK: usize = 4096;

/** `width` elements that are `step` bytes apart. */
// @ts-ignore: decorator
@inline
function gather<T>(at: usize, step: usize): v128 {
  if (sizeof<T>() == 8) return v128.load64_lane(at + step, v128.load64_zero(at), 1);
  let x = v128.load32_zero(at);
  x = v128.load32_lane(at + step, x, 1);
  x = v128.load32_lane(at + 2 * step, x, 2);
  return v128.load32_lane(at + 3 * step, x, 3);
}

// @ts-ignore: decorator
@inline
function fetch<T>(near: bool, at: usize, step: usize): v128 {
  return near ? v128.load(at) : gather<T>(at, step);
}

/** The accumulator with one vector of terms more. */
// @ts-ignore: decorator
@inline
function take<T>(kind: i32, sum: v128, x: v128, y: v128): v128 {
  if (kind == TERM) return v128.add<T>(sum, x);
  if (kind == PRODUCT) return madd<T>(x, y, sum);
  const d = kind == DEVIATION ? v128.sub<T>(x, y) : x;
  return madd<T>(d, d, sum);
}

// @ts-ignore: decorator
@inline
function term<T>(kind: i32, x: T, y: T): T {
  if (kind == TERM) return x;
  if (kind == PRODUCT) return <T>(x * y);
  const d = kind == DEVIATION ? <T>(x - y) : x;
  return <T>(d * d);
}

/** The last, incomplete round of stripes as four vectors in the working memory; what is missing is zero. */
// @ts-ignore: decorator
@inline
function rest<T>(kind: i32, a: usize, b: usize, count: usize, sa: usize, sb: usize, mean: T): void {
  memory.fill(work, 0, 64);
  for (let i: usize = 0; i < count; i++) {
    const y = kind == PRODUCT ? load<T>(b + i * sb) : mean;
    store<T>(work + i * sizeof<T>(), term<T>(kind, load<T>(a + i * sa), y));
  }
}

/** The stripes as one sum. */
// @ts-ignore: decorator
@inline
function fold<T>(s0: v128, s1: v128, s2: v128, s3: v128): f64 {
  const sum = v128.add<T>(v128.add<T>(s0, s2), v128.add<T>(s1, s3));
  if (sizeof<T>() == 8) return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  const two = f32x4.add(sum, i8x16.shuffle(sum, sum, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return <f64>(f32x4.extract_lane(two, 0) + f32x4.extract_lane(two, 1));
}

/** One block. Strides are in bytes. */
// @ts-ignore: decorator
@inline
function block<T>(kind: i32, near: bool, a: usize, b: usize, count: usize, sa: usize, sb: usize, mean: T): f64 {
  let s0 = v128.splat<T>(<T>0), s1 = s0, s2 = s0, s3 = s0;
  const width: usize = 16 / sizeof<T>();
  const m = v128.splat<T>(mean);
  let i: usize = 0;
  for (; i + 4 * width <= count; i += 4 * width) {
    const a2 = a + 2 * width * sa, b2 = b + 2 * width * sb;
    s0 = take<T>(kind, s0, fetch<T>(near, a, sa), kind == PRODUCT ? fetch<T>(near, b, sb) : m);
    s1 = take<T>(kind, s1, fetch<T>(near, a + width * sa, sa), kind == PRODUCT ? fetch<T>(near, b + width * sb, sb) : m);
    s2 = take<T>(kind, s2, fetch<T>(near, a2, sa), kind == PRODUCT ? fetch<T>(near, b2, sb) : m);
    s3 = take<T>(kind, s3, fetch<T>(near, a2 + width * sa, sa), kind == PRODUCT ? fetch<T>(near, b2 + width * sb, sb) : m);
    a += 4 * width * sa, b += 4 * width * sb;
  }
  if (i < count) {
    rest<T>(kind, a, b, count - i, sa, sb, mean);
    s0 = v128.add<T>(s0, v128.load(work)), s1 = v128.add<T>(s1, v128.load(work, 16));
    s2 = v128.add<T>(s2, v128.load(work, 32)), s3 = v128.add<T>(s3, v128.load(work, 48));
  }
  return fold<T>(s0, s1, s2, s3);
}

/** The f64 total of n terms (S1). Strides are in elements. */
// @ts-ignore: decorator
@inline
export function total<T>(kind: i32, a: usize, b: usize, n: usize, sa: usize, sb: usize, mean: T): f64 {
  let all: f64 = 0;
  const near = sa == 1 && (kind != PRODUCT || sb == 1);
  sa *= sizeof<T>(), sb *= sizeof<T>();
  for (let first: usize = 0; first < n; first += BLOCK) {
    const count = min(BLOCK, n - first);
    if (near) all += block<T>(kind, true, a, b, count, sizeof<T>(), sizeof<T>(), mean);
    else all += block<T>(kind, false, a, b, count, sa, sb, mean);
    a += count * sa, b += count * sb;
  }
  return all;
}
