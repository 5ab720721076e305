/**
 * exp, log, tanh, sigmoid, gelu and silu in f64, rounded once to the element's type (rule N4 of the page on tensors).
 *
 * R1. The plain build makes, operation by operation, what `src/scalar/transcendental.ts` makes, in two lanes at once: the same bits.
 *     The relaxed build fuses the multiply-adds of the polynomials, and leaves some functions of f32 to `single.ts`.
 * R2. Vectors serve where no step can overflow, underflow or meet a NaN; all other elements are computed one at a time.
 */
import { madd } from "./lanes";
import { expSingle, inRange, sigmoidSingle, tanhSingle } from "./single";

export const EXP = 0;
export const LOG = 1;
export const TANH = 2;
export const SIGMOID = 3;
export const GELU = 4;
export const SILU = 5;

const LOG2_E: f64 = 1.4426950408889634;
/** ln(2) with its last 20 bits zero, and the rest. */
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
const SQRT_2: f64 = 1.4142135623730951;
const TWO_SQRT_2_OVER_PI: f64 = 1.5957691216057308;
/** 1.5 * 2^52: added to a small whole number, it leaves that number in the low bits. */
const WHOLE: f64 = 6755399441055744;

/** 2^k for -1022 <= k <= 1023. */
// @ts-ignore: decorator
@inline
function power(k: f64): f64 {
  return reinterpret<f64>((<i64>k + 1023) << 52);
}

// @ts-ignore: decorator
@inline
function expTailOne(r: f64): f64 {
  let q: f64 = 1.1470745597729725e-11;
  q = q * r + 1.6059043836821613e-10;
  q = q * r + 2.08767569878681e-9;
  q = q * r + 2.505210838544172e-8;
  q = q * r + 2.755731922398589e-7;
  q = q * r + 2.7557319223985893e-6;
  q = q * r + 2.48015873015873e-5;
  q = q * r + 1.984126984126984e-4;
  q = q * r + 1.388888888888889e-3;
  q = q * r + 8.333333333333333e-3;
  q = q * r + 4.1666666666666664e-2;
  q = q * r + 0.16666666666666666;
  return q * r + 0.5;
}

function expOne(x: f64): f64 {
  if (!(x <= 709.782712893384)) return x > 0 ? Infinity : x;
  if (x < -745.1332191019412) return 0;
  const k = Math.floor(x * LOG2_E + 0.5);
  const high = x - k * LN2_HIGH, low = k * LN2_LOW;
  const r = high - low;
  const y = 1 + (r + (r * r * expTailOne(r) + (high - r - low)));
  const half = Math.floor(k / 2);
  return y * power(half) * power(k - half);
}

function expMinusOne(x: f64): f64 {
  const k = Math.floor(x * LOG2_E + 0.5);
  const high = x - k * LN2_HIGH, low = k * LN2_LOW;
  const r = high - low;
  const y = r + (r * r * expTailOne(r) + (high - r - low));
  if (k == 0) return y;
  const scale = power(k);
  return scale - 1 + scale * y;
}

function logOne(x: f64): f64 {
  if (!(x > 0)) return x == 0 ? -Infinity : NaN;
  if (x == Infinity) return x;
  let k: i64 = 0;
  let scaled = x;
  if (scaled < 2.2250738585072014e-308) scaled *= 18014398509481984, k = -54;
  const bits = reinterpret<i64>(scaled);
  k += (bits >>> 52) - 1023;
  let m = reinterpret<f64>((bits & 0xfffffffffffff) | 0x3ff0000000000000);
  if (m > SQRT_2) m *= 0.5, k += 1;
  const f = m - 1;
  const s = f / (2 + f);
  const half = 0.5 * f * f;
  return <f64>k * LN2_HIGH - (half - (s * (half + atanhTailOne(s * s)) + <f64>k * LN2_LOW) - f);
}

// @ts-ignore: decorator
@inline
function atanhTailOne(z: f64): f64 {
  let q: f64 = 0.08695652173913043;
  q = q * z + 0.09523809523809523;
  q = q * z + 0.10526315789473684;
  q = q * z + 0.11764705882352941;
  q = q * z + 0.13333333333333333;
  q = q * z + 0.15384615384615385;
  q = q * z + 0.18181818181818182;
  q = q * z + 0.2222222222222222;
  q = q * z + 0.2857142857142857;
  q = q * z + 0.4;
  q = q * z + 0.6666666666666666;
  return q * z;
}

function tanhOne(x: f64): f64 {
  if (x >= 22) return 1;
  if (x <= -22) return -1;
  if (x == 0) return x;
  const t = expMinusOne(2 * (x < 0 ? -x : x));
  const y = t / (t + 2);
  return x < 0 ? -y : y;
}

function sigmoidOne(x: f64): f64 {
  if (x >= 0) return 1 / (1 + expOne(-x));
  const e = expOne(x);
  return e / (1 + e);
}

function geluOne(x: f64): f64 {
  if (x == -Infinity) return -0.0;
  return x * sigmoidOne(TWO_SQRT_2_OVER_PI * (x + 0.044715 * (x * x * x)));
}

function siluOne(x: f64): f64 {
  return x == -Infinity ? -0.0 : x * sigmoidOne(x);
}

/** One element. */
// @ts-ignore: decorator
@inline
export function realOne(op: i32, x: f64): f64 {
  if (op == EXP) return expOne(x);
  if (op == LOG) return logOne(x);
  if (op == TANH) return tanhOne(x);
  if (op == SIGMOID) return sigmoidOne(x);
  return op == GELU ? geluOne(x) : siluOne(x);
}

/** q r + c. */
// @ts-ignore: decorator
@inline
function step(q: v128, r: v128, c: f64): v128 {
  return madd<f64>(q, r, f64x2.splat(c));
}

// @ts-ignore: decorator
@inline
function expTail(r: v128): v128 {
  let q = f64x2.splat(1.1470745597729725e-11);
  q = step(q, r, 1.6059043836821613e-10);
  q = step(q, r, 2.08767569878681e-9);
  q = step(q, r, 2.505210838544172e-8);
  q = step(q, r, 2.755731922398589e-7);
  q = step(q, r, 2.7557319223985893e-6);
  q = step(q, r, 2.48015873015873e-5);
  q = step(q, r, 1.984126984126984e-4);
  q = step(q, r, 1.388888888888889e-3);
  q = step(q, r, 8.333333333333333e-3);
  q = step(q, r, 4.1666666666666664e-2);
  q = step(q, r, 0.16666666666666666);
  return step(q, r, 0.5);
}

/** 2^k. */
// @ts-ignore: decorator
@inline
function powers(k: v128): v128 {
  return i64x2.shl(i64x2.add(f64x2.add(k, f64x2.splat(WHOLE)), i64x2.splat(1023)), 52);
}

/** exp(x), or exp(x) - 1, for |x| <= 707. */
// @ts-ignore: decorator
@inline
function exponential(x: v128, lessOne: bool): v128 {
  const k = f64x2.floor(f64x2.add(f64x2.mul(x, f64x2.splat(LOG2_E)), f64x2.splat(0.5)));
  const high = f64x2.sub(x, f64x2.mul(k, f64x2.splat(LN2_HIGH)));
  const low = f64x2.mul(k, f64x2.splat(LN2_LOW));
  const r = f64x2.sub(high, low);
  const lost = f64x2.sub(f64x2.sub(high, r), low);
  const y = f64x2.add(r, f64x2.add(f64x2.mul(f64x2.mul(r, r), expTail(r)), lost));
  const scale = powers(k);
  if (!lessOne) return f64x2.mul(f64x2.add(f64x2.splat(1), y), scale);
  return f64x2.add(f64x2.sub(scale, f64x2.splat(1)), f64x2.mul(scale, y));
}

/** log(x) for normal x > 0. */
// @ts-ignore: decorator
@inline
function logarithm(x: v128): v128 {
  // The exponent becomes a number as the low bits of 2^52, which are taken off again.
  const raw = v128.or(i64x2.shr_u(x, 52), f64x2.splat(4503599627370496));
  let k = f64x2.sub(f64x2.sub(raw, f64x2.splat(4503599627370496)), f64x2.splat(1023));
  let m = v128.or(v128.and(x, i64x2.splat(0xfffffffffffff)), f64x2.splat(1));
  const upper = f64x2.gt(m, f64x2.splat(SQRT_2));
  m = v128.bitselect(f64x2.mul(m, f64x2.splat(0.5)), m, upper);
  k = f64x2.add(k, v128.and(upper, f64x2.splat(1)));
  const f = f64x2.sub(m, f64x2.splat(1));
  const s = f64x2.div(f, f64x2.add(f64x2.splat(2), f));
  const half = f64x2.mul(f64x2.mul(f64x2.splat(0.5), f), f);
  const tail = atanhTail(f64x2.mul(s, s));
  const inner = f64x2.add(f64x2.mul(s, f64x2.add(half, tail)), f64x2.mul(k, f64x2.splat(LN2_LOW)));
  return f64x2.sub(f64x2.mul(k, f64x2.splat(LN2_HIGH)), f64x2.sub(f64x2.sub(half, inner), f));
}

// @ts-ignore: decorator
@inline
function atanhTail(z: v128): v128 {
  let q = f64x2.splat(0.08695652173913043);
  q = step(q, z, 0.09523809523809523);
  q = step(q, z, 0.10526315789473684);
  q = step(q, z, 0.11764705882352941);
  q = step(q, z, 0.13333333333333333);
  q = step(q, z, 0.15384615384615385);
  q = step(q, z, 0.18181818181818182);
  q = step(q, z, 0.2222222222222222);
  q = step(q, z, 0.2857142857142857);
  q = step(q, z, 0.4);
  q = step(q, z, 0.6666666666666666);
  return f64x2.mul(q, z);
}

// @ts-ignore: decorator
@inline
function tangent(x: v128): v128 {
  const positive = f64x2.min(f64x2.abs(x), f64x2.splat(22));
  const t = exponential(f64x2.mul(f64x2.splat(2), positive), true);
  return copySign(f64x2.div(t, f64x2.add(t, f64x2.splat(2))), x);
}

// @ts-ignore: decorator
@inline
function copySign(x: v128, sign: v128): v128 {
  return v128.bitselect(sign, x, i64x2.splat(i64.MIN_VALUE));
}

// @ts-ignore: decorator
@inline
function logistic(x: v128): v128 {
  const e = exponential(f64x2.neg(f64x2.abs(x)), false);
  const above = v128.bitselect(f64x2.splat(1), e, f64x2.ge(x, f64x2.splat(0)));
  return f64x2.div(above, f64x2.add(f64x2.splat(1), e));
}

/** The argument of gelu's sigmoid. */
// @ts-ignore: decorator
@inline
function geluArgument(x: v128): v128 {
  const cube = f64x2.mul(f64x2.mul(x, x), x);
  return f64x2.mul(f64x2.splat(TWO_SQRT_2_OVER_PI), f64x2.add(x, f64x2.mul(f64x2.splat(0.044715), cube)));
}

/** Whether both lanes are safe (R2). */
// @ts-ignore: decorator
@inline
function safe(op: i32, x: v128): bool {
  if (op == LOG) {
    const low = f64x2.ge(x, f64x2.splat(2.2250738585072014e-308));
    return i64x2.all_true(v128.and(low, f64x2.lt(x, f64x2.splat(Infinity))));
  }
  if (op == TANH) return i64x2.all_true(f64x2.eq(x, x));
  const argument = op == GELU ? geluArgument(x) : x;
  return i64x2.all_true(f64x2.le(f64x2.abs(argument), f64x2.splat(707)));
}

/** Two elements as f64. */
// @ts-ignore: decorator
@inline
export function real(op: i32, x: v128): v128 {
  if (!safe(op, x)) {
    return f64x2(realOne(op, f64x2.extract_lane(x, 0)), realOne(op, f64x2.extract_lane(x, 1)));
  }
  if (op == EXP) return exponential(x, false);
  if (op == LOG) return logarithm(x);
  if (op == TANH) return tangent(x);
  if (op == SIGMOID) return logistic(x);
  return f64x2.mul(x, logistic(op == GELU ? geluArgument(x) : x));
}

/** A vector of f32, or of f64. */
// @ts-ignore: decorator
@inline
export function realOf<T>(op: i32, x: v128): v128 {
  if (sizeof<T>() == 8) return real(op, x);
  if (ASC_FEATURE_RELAXED_SIMD && op != LOG && op != GELU && inRange(x)) {
    if (op == EXP) return expSingle(x);
    if (op == TANH) return tanhSingle(x);
    const y = sigmoidSingle(x);
    return op == SIGMOID ? y : f32x4.mul(x, y);
  }
  const low = f32x4.demote_f64x2_zero(real(op, f64x2.promote_low_f32x4(x)));
  const upper = i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  const high = f32x4.demote_f64x2_zero(real(op, f64x2.promote_low_f32x4(upper)));
  return i8x16.shuffle(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
}

// @ts-ignore: decorator
@inline
function each<T>(op: i32, out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  let i: usize = 0;
  if (so == 1 && sa == 1) {
    const width: usize = 16 / sizeof<T>();
    for (; i + width <= n; i += width, a += 16, out += 16) v128.store(out, realOf<T>(op, v128.load(a)));
  }
  for (; i < n; i++) {
    store<T>(out, <T>realOne(op, <f64>load<T>(a)));
    out += so * sizeof<T>(), a += sa * sizeof<T>();
  }
}

export function exp_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f32>(EXP, out, a, n, so, sa);
}

export function exp_f64(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f64>(EXP, out, a, n, so, sa);
}

export function log_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f32>(LOG, out, a, n, so, sa);
}

export function log_f64(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f64>(LOG, out, a, n, so, sa);
}

export function tanh_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f32>(TANH, out, a, n, so, sa);
}

export function tanh_f64(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f64>(TANH, out, a, n, so, sa);
}

export function sigmoid_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f32>(SIGMOID, out, a, n, so, sa);
}

export function sigmoid_f64(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f64>(SIGMOID, out, a, n, so, sa);
}

export function gelu_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f32>(GELU, out, a, n, so, sa);
}

export function gelu_f64(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f64>(GELU, out, a, n, so, sa);
}

export function silu_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f32>(SILU, out, a, n, so, sa);
}

export function silu_f64(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  each<f64>(SILU, out, a, n, so, sa);
}
