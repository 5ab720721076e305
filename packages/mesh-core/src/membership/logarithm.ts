/**
 * Logarithms that are the same on every engine: the specification leaves the last bit of `Math.log` to it, and a timeout computed
 * from it would make two runs of one seed differ.
 */

const LOG10_OF_2 = 0.301_03;

/** The base-10 logarithm of `n` >= 1, linear between powers of two: never more than 0.027 too small, exact at powers of two. */
export function log10(n: number): number {
  let whole = 0;
  let power = 1;
  while (power * 2 <= n) {
    power *= 2;
    whole++;
  }
  return (whole + (n / power - 1)) * LOG10_OF_2;
}

/** The least integer k with 10^k >= n, for n >= 1: exact. */
export function log10Ceiling(n: number): number {
  let exponent = 0;
  for (let power = 1; power < n; power *= 10) exponent++;
  return exponent;
}
