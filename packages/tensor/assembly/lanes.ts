/**
 * Vector operations on lanes of `T` that every kernel shares.
 *
 * L1. `madd` rounds the product and the sum in the plain build; in the relaxed build it is the engine's `relaxed_madd`, which rounds
 *     once on processors with fused multiply-add. Nothing else differs between the two builds of a kernel, products of `i8` apart.
 */

/** Lanes of `T` in a vector. */
// @ts-ignore: decorator
@inline
export function lanes<T>(): usize {
  return 16 / sizeof<T>();
}

/** a * b + c in every lane (L1). */
// @ts-ignore: decorator
@inline
export function madd<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD && isFloat<T>()) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(c, v128.mul<T>(a, b));
}
