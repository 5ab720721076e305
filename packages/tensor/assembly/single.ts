/**
 * exp, tanh, sigmoid and silu of four f32 at once in f32, for the relaxed build: within 4 units in the last place (rule N4 of the page on
 * tensors). Other functions, and the plain build, go by way of f64 (`real.ts`).
 *
 * F1. exp(x) = 2^k exp(r), |r| <= ln(2)/2. The upper part of ln(2) has 9 bits, so k times it is exact whether or not the engine fuses;
 *     exp(r) is the Taylor series to r^7, whose rest is below 2^-27.
 * F2. Serves where |x| <= 87: no result but of tanh is denormal, none infinite.
 */
import { madd } from "./lanes";

const LOG2_E: f32 = 1.4426950408889634;
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440054690583e-4;

/** Whether all four lanes are in range (F2); a NaN is not. */
// @ts-ignore: decorator
@inline
export function inRange(x: v128): bool {
  return i32x4.all_true(f32x4.le(f32x4.abs(x), f32x4.splat(87)));
}

/** x - k ln(2) (F1). */
// @ts-ignore: decorator
@inline
function remainder(x: v128, k: v128): v128 {
  return madd<f32>(k, f32x4.splat(-LN2_LOW), madd<f32>(k, f32x4.splat(-LN2_HIGH), x));
}

/** (exp(r) - 1 - r) / r^2. */
// @ts-ignore: decorator
@inline
function tail(r: v128): v128 {
  let q = madd<f32>(f32x4.splat(1.984127e-4), r, f32x4.splat(1.388889e-3));
  q = madd<f32>(q, r, f32x4.splat(8.333333e-3));
  q = madd<f32>(q, r, f32x4.splat(4.1666667e-2));
  q = madd<f32>(q, r, f32x4.splat(0.16666667));
  return madd<f32>(q, r, f32x4.splat(0.5));
}

/** 2^k for whole k from -126 to 127. */
// @ts-ignore: decorator
@inline
function powers(k: v128): v128 {
  return i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(k), i32x4.splat(127)), 23);
}

/** e to the x. */
// @ts-ignore: decorator
@inline
export function expSingle(x: v128): v128 {
  const k = f32x4.nearest(f32x4.mul(x, f32x4.splat(LOG2_E)));
  const r = remainder(x, k);
  const y = f32x4.add(f32x4.splat(1), madd<f32>(f32x4.mul(r, r), tail(r), r));
  return f32x4.mul(y, powers(k));
}

/** 1 / (1 + e to the -x). */
// @ts-ignore: decorator
@inline
export function sigmoidSingle(x: v128): v128 {
  const e = expSingle(f32x4.neg(f32x4.abs(x)));
  const above = v128.bitselect(f32x4.splat(1), e, f32x4.ge(x, f32x4.splat(0)));
  return f32x4.div(above, f32x4.add(f32x4.splat(1), e));
}

/** The hyperbolic tangent, by e to the 2|x| less 1. From 10 on it is 1 in f32, so the argument is bounded by that. */
// @ts-ignore: decorator
@inline
export function tanhSingle(x: v128): v128 {
  const z = f32x4.mul(f32x4.min(f32x4.abs(x), f32x4.splat(10)), f32x4.splat(2));
  const k = f32x4.nearest(f32x4.mul(z, f32x4.splat(LOG2_E)));
  const r = remainder(z, k);
  const y = madd<f32>(f32x4.mul(r, r), tail(r), r);
  const scale = powers(k);
  const t = f32x4.add(f32x4.sub(scale, f32x4.splat(1)), f32x4.mul(scale, y));
  const positive = f32x4.div(t, f32x4.add(t, f32x4.splat(2)));
  return v128.bitselect(x, positive, i32x4.splat(i32.MIN_VALUE));
}
