/**
 * exp, log, tanh and what follows from them, in float64 arithmetic that is the same on every machine (docs/spec/tensor.md, N4).
 *
 * X1. Only +, -, *, /, comparisons, `Math.floor` and exact scaling by powers of two: engines differ in the last bit of `Math.exp` and
 *     its kin, and never in these. No fused multiply-add: JavaScript has none.
 * X2. f32 results are these, rounded once.
 *
 * Reduction exp(x) = 2^k exp(r), |r| <= ln(2)/2, with ln(2) in two parts, and log(m) by the series of atanh(f / (2 + f)), as in fdlibm
 * (Sun Microsystems, 1993). The polynomials are the Taylor series, cut where the rest is below 2^-57 of the result.
 */

const LOG2_E = Math.LOG2E;
/** ln(2) with its last 20 bits zero, so that k times it is exact for |k| < 2^20; and the rest. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const SQRT_2 = Math.SQRT2;
const TWO_SQRT_2_OVER_PI = 1.5957691216057308;

/** 2^k for k from -1074 to 1023, exact. */
const POWERS = powersOfTwo();

function powersOfTwo(): Float64Array {
  const powers = new Float64Array(2098);
  let value = 1;
  for (let k = 0; k <= 1023; k++, value *= 2) powers[1074 + k] = value;
  value = 1;
  for (let k = 0; k >= -1074; k--, value /= 2) powers[1074 + k] = value;
  return powers;
}

function power(k: number): number {
  return POWERS[1074 + k] as number;
}

/** exp(r) - 1 - r over r^2, for |r| <= ln(2)/2. */
function expTail(r: number): number {
  let q = 1.1470745597729725e-11; // 1/14!
  q = q * r + 1.6059043836821613e-10; // 1/13!
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

/** e to the x. */
export function exp(x: number): number {
  if (!(x <= 709.782712893384)) return x > 0 ? Number.POSITIVE_INFINITY : x;
  if (x < -745.1332191019412) return 0;
  const k = Math.floor(x * LOG2_E + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  // The rounding of r is put back: high - r - low is what it lost.
  const y = 1 + (r + (r * r * expTail(r) + (high - r - low)));
  const half = Math.floor(k / 2);
  return y * power(half) * power(k - half);
}

/** e to the x, less 1, precise near 0. For |x| below 709. */
function expMinusOne(x: number): number {
  const k = Math.floor(x * LOG2_E + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const y = r + (r * r * expTail(r) + (high - r - low));
  if (k === 0) return y;
  const scale = power(k);
  return scale - 1 + scale * y;
}

const bits = new DataView(new ArrayBuffer(8));

/** The natural logarithm. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  let k = 0;
  let scaled = x;
  if (scaled < 2.2250738585072014e-308) {
    scaled *= 18014398509481984; // 2^54: a denormal becomes normal
    k = -54;
  }
  bits.setFloat64(0, scaled);
  const head = bits.getUint32(0);
  k += (head >>> 20) - 1023;
  bits.setUint32(0, (head & 0xfffff) | 0x3ff00000);
  let m = bits.getFloat64(0);
  if (m > SQRT_2) {
    m *= 0.5;
    k += 1;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + atanhTail(s * s)) + k * LN2_LOW) - f);
}

/** 2 (atanh(s)/s - 1), of z = s^2 <= 0.0295. */
function atanhTail(z: number): number {
  let q = 0.08695652173913043; // 2/23
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

/** The hyperbolic tangent. */
export function tanh(x: number): number {
  if (x >= 22) return 1;
  if (x <= -22) return -1;
  if (x === 0) return x;
  if (x < 0) return -tanhOfPositive(-x);
  return tanhOfPositive(x);
}

/** NaN comes here too and stays. */
function tanhOfPositive(x: number): number {
  const t = expMinusOne(2 * x);
  return t / (t + 2);
}

/** 1 / (1 + exp(-x)). */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + exp(-x));
  const e = exp(x);
  return e / (1 + e);
}

/** The Gaussian error linear unit in its tanh form; (1 + tanh(y)) / 2 is sigmoid(2y), which loses nothing for negative y. */
export function gelu(x: number): number {
  if (x === Number.NEGATIVE_INFINITY) return -0;
  return x * sigmoid(TWO_SQRT_2_OVER_PI * (x + 0.044715 * (x * x * x)));
}

/** x times sigmoid(x). */
export function silu(x: number): number {
  return x === Number.NEGATIVE_INFINITY ? -0 : x * sigmoid(x);
}
