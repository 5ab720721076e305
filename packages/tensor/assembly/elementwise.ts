/**
 * Element by element: sums, products, extremes, roots. The bits are those of one IEEE operation per element (rule N1 of the page
 * on tensors); NaN stays, -0 is below +0 (N2).
 *
 * E1. Contiguous operands, and a second operand that is one repeated element, run in vectors; everything else element by element.
 */

const ADD = 0;
const SUB = 1;
const MUL = 2;
const DIV = 3;
const MIN = 4;
const MAX = 5;
const NEG = 6;
const ABS = 7;
const SQRT = 8;
const RELU = 9;

// @ts-ignore: decorator
@inline
function pair<T>(op: i32, x: v128, y: v128): v128 {
  if (op == ADD) return v128.add<T>(x, y);
  if (op == SUB) return v128.sub<T>(x, y);
  if (sizeof<T>() > 1 && op == MUL) return v128.mul<T>(x, y);
  if (isFloat<T>() && op == DIV) return v128.div<T>(x, y);
  return op == MIN ? v128.min<T>(x, y) : v128.max<T>(x, y);
}

// @ts-ignore: decorator
@inline
function one<T>(op: i32, x: T, y: T): T {
  if (op == ADD) return <T>(x + y);
  if (op == SUB) return <T>(x - y);
  if (op == MUL) return <T>(x * y);
  if (isFloat<T>() && op == DIV) return <T>(x / y);
  return op == MIN ? min<T>(x, y) : max<T>(x, y);
}

/** Where the second operand repeats one element (E1). */
// @ts-ignore: decorator
@inline
function repeated<T>(op: i32, out: usize, a: usize, b: usize, n: usize): void {
  const y = load<T>(b);
  const wide = v128.splat<T>(y);
  const bytes = n * sizeof<T>();
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const u = pair<T>(op, v128.load(a + at), wide), v = pair<T>(op, v128.load(a + at, 16), wide);
    v128.store(out + at, u), v128.store(out + at, v, 16);
  }
  for (; at < bytes; at += sizeof<T>()) store<T>(out + at, one<T>(op, load<T>(a + at), y));
}

// @ts-ignore: decorator
@inline
function binary<T>(op: i32, out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  if (so == 1 && sa == 1 && sb == 1) {
    const bytes = n * sizeof<T>();
    let at: usize = 0;
    for (; at + 64 <= bytes; at += 64) {
      const x0 = pair<T>(op, v128.load(a + at), v128.load(b + at));
      const x1 = pair<T>(op, v128.load(a + at, 16), v128.load(b + at, 16));
      const x2 = pair<T>(op, v128.load(a + at, 32), v128.load(b + at, 32));
      const x3 = pair<T>(op, v128.load(a + at, 48), v128.load(b + at, 48));
      v128.store(out + at, x0), v128.store(out + at, x1, 16), v128.store(out + at, x2, 32), v128.store(out + at, x3, 48);
    }
    for (; at + 16 <= bytes; at += 16) v128.store(out + at, pair<T>(op, v128.load(a + at), v128.load(b + at)));
    for (; at < bytes; at += sizeof<T>()) store<T>(out + at, one<T>(op, load<T>(a + at), load<T>(b + at)));
    return;
  }
  if (so == 1 && sa == 1 && sb == 0 && n > 0) {
    repeated<T>(op, out, a, b, n);
    return;
  }
  for (let i: usize = 0; i < n; i++) {
    store<T>(out, one<T>(op, load<T>(a), load<T>(b)));
    out += so * sizeof<T>(), a += sa * sizeof<T>(), b += sb * sizeof<T>();
  }
}

// @ts-ignore: decorator
@inline
function turn<T>(op: i32, x: v128): v128 {
  if (op == NEG) return v128.neg<T>(x);
  if (op == ABS) return v128.abs<T>(x);
  if (isFloat<T>() && op == SQRT) return v128.sqrt<T>(x);
  return v128.max<T>(x, v128.splat<T>(<T>0));
}

// @ts-ignore: decorator
@inline
function turnOne<T>(op: i32, x: T): T {
  if (op == NEG) return <T>-x;
  if (op == ABS) return abs<T>(x);
  if (isFloat<T>() && op == SQRT) return sqrt<T>(x);
  return max<T>(x, <T>0);
}

// @ts-ignore: decorator
@inline
function unary<T>(op: i32, out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  if (so == 1 && sa == 1) {
    const bytes = n * sizeof<T>();
    let at: usize = 0;
    for (; at + 16 <= bytes; at += 16) v128.store(out + at, turn<T>(op, v128.load(a + at)));
    for (; at < bytes; at += sizeof<T>()) store<T>(out + at, turnOne<T>(op, load<T>(a + at)));
    return;
  }
  for (let i: usize = 0; i < n; i++) {
    store<T>(out, turnOne<T>(op, load<T>(a)));
    out += so * sizeof<T>(), a += sa * sizeof<T>();
  }
}

/** y = y + alpha x; both roundings are made in both builds, so that it equals a product and a sum. */
// @ts-ignore: decorator
@inline
function axpy<T>(y: usize, x: usize, alpha: T, n: usize, sy: usize, sx: usize): void {
  let i: usize = 0;
  if (sy == 1 && sx == 1) {
    const factor = v128.splat<T>(alpha);
    const step: usize = 32 / sizeof<T>();
    for (; i + step <= n; i += step, x += 32, y += 32) {
      v128.store(y, v128.add<T>(v128.load(y), v128.mul<T>(factor, v128.load(x))));
      v128.store(y, v128.add<T>(v128.load(y, 16), v128.mul<T>(factor, v128.load(x, 16))), 16);
    }
  }
  for (; i < n; i++) {
    store<T>(y, <T>(load<T>(y) + alpha * load<T>(x)));
    y += sy * sizeof<T>(), x += sx * sizeof<T>();
  }
}

export function axpy_f32(y: usize, x: usize, alpha: f32, n: usize, sy: usize, sx: usize): void {
  axpy<f32>(y, x, alpha, n, sy, sx);
}

export function axpy_f64(y: usize, x: usize, alpha: f64, n: usize, sy: usize, sx: usize): void {
  axpy<f64>(y, x, alpha, n, sy, sx);
}

export function add_f32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f32>(ADD, out, a, b, n, so, sa, sb);
}

export function add_f64(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f64>(ADD, out, a, b, n, so, sa, sb);
}

export function add_i32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<i32>(ADD, out, a, b, n, so, sa, sb);
}

export function add_i8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<i8>(ADD, out, a, b, n, so, sa, sb);
}

export function add_u8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<u8>(ADD, out, a, b, n, so, sa, sb);
}

export function sub_f32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f32>(SUB, out, a, b, n, so, sa, sb);
}

export function sub_f64(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f64>(SUB, out, a, b, n, so, sa, sb);
}

export function sub_i32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<i32>(SUB, out, a, b, n, so, sa, sb);
}

export function sub_i8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<i8>(SUB, out, a, b, n, so, sa, sb);
}

export function sub_u8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<u8>(SUB, out, a, b, n, so, sa, sb);
}

export function mul_f32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f32>(MUL, out, a, b, n, so, sa, sb);
}

export function mul_f64(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f64>(MUL, out, a, b, n, so, sa, sb);
}

export function mul_i32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<i32>(MUL, out, a, b, n, so, sa, sb);
}

export function div_f32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f32>(DIV, out, a, b, n, so, sa, sb);
}

export function div_f64(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f64>(DIV, out, a, b, n, so, sa, sb);
}

export function min_f32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f32>(MIN, out, a, b, n, so, sa, sb);
}

export function min_f64(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f64>(MIN, out, a, b, n, so, sa, sb);
}

export function min_i32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<i32>(MIN, out, a, b, n, so, sa, sb);
}

export function min_i8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<i8>(MIN, out, a, b, n, so, sa, sb);
}

export function min_u8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<u8>(MIN, out, a, b, n, so, sa, sb);
}

export function max_f32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f32>(MAX, out, a, b, n, so, sa, sb);
}

export function max_f64(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<f64>(MAX, out, a, b, n, so, sa, sb);
}

export function max_i32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<i32>(MAX, out, a, b, n, so, sa, sb);
}

export function max_i8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<i8>(MAX, out, a, b, n, so, sa, sb);
}

export function max_u8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  binary<u8>(MAX, out, a, b, n, so, sa, sb);
}

export function neg_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<f32>(NEG, out, a, n, so, sa);
}

export function neg_f64(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<f64>(NEG, out, a, n, so, sa);
}

export function neg_i32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<i32>(NEG, out, a, n, so, sa);
}

export function neg_i8(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<i8>(NEG, out, a, n, so, sa);
}

export function abs_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<f32>(ABS, out, a, n, so, sa);
}

export function abs_f64(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<f64>(ABS, out, a, n, so, sa);
}

export function abs_i32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<i32>(ABS, out, a, n, so, sa);
}

export function abs_i8(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<i8>(ABS, out, a, n, so, sa);
}

export function sqrt_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<f32>(SQRT, out, a, n, so, sa);
}

export function sqrt_f64(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<f64>(SQRT, out, a, n, so, sa);
}

export function relu_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<f32>(RELU, out, a, n, so, sa);
}

export function relu_f64(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  unary<f64>(RELU, out, a, n, so, sa);
}
