/** Softmax and the two norms over contiguous rows (rule N8 of the page on tensors); every step is rounded, none is fused. */
import { EXP, realOf, realOne } from "./real";
import { deviationsOf, extremeOf, squaresOf, totalOf } from "./reductions";

// @ts-ignore: decorator
@inline
function softmax<T>(out: usize, a: usize, rows: usize, n: usize): void {
  const bytes = n * sizeof<T>();
  for (let r: usize = 0; r < rows; r++, a += bytes, out += bytes) {
    const most = extremeOf<T>(false, a, n, 1);
    const m = v128.splat<T>(most);
    let at: usize = 0;
    for (; at + 16 <= bytes; at += 16) v128.store(out + at, realOf<T>(EXP, v128.sub<T>(v128.load(a + at), m)));
    for (; at < bytes; at += sizeof<T>()) store<T>(out + at, <T>realOne(EXP, <f64><T>(load<T>(a + at) - most)));
    const total = <T>totalOf<T>(out, n, 1);
    const t = v128.splat<T>(total);
    for (at = 0; at + 16 <= bytes; at += 16) v128.store(out + at, v128.div<T>(v128.load(out + at), t));
    for (; at < bytes; at += sizeof<T>()) store<T>(out + at, <T>(load<T>(out + at) / total));
  }
}

/** ((x - mean) factor) gain + shift for one row; a gain or shift at 0 is none. */
// @ts-ignore: decorator
@inline
function scale<T>(out: usize, a: usize, n: usize, mean: T, factor: T, gain: usize, shift: usize): void {
  const bytes = n * sizeof<T>();
  const m = v128.splat<T>(mean), f = v128.splat<T>(factor);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    let x = v128.mul<T>(v128.sub<T>(v128.load(a + at), m), f);
    if (gain != 0) x = v128.mul<T>(x, v128.load(gain + at));
    if (shift != 0) x = v128.add<T>(x, v128.load(shift + at));
    v128.store(out + at, x);
  }
  for (; at < bytes; at += sizeof<T>()) {
    let x = <T>(<T>(load<T>(a + at) - mean) * factor);
    if (gain != 0) x = <T>(x * load<T>(gain + at));
    if (shift != 0) x = <T>(x + load<T>(shift + at));
    store<T>(out + at, x);
  }
}

// @ts-ignore: decorator
@inline
function layerNorm<T>(out: usize, a: usize, gain: usize, shift: usize, rows: usize, n: usize, epsilon: f64): void {
  for (let r: usize = 0; r < rows; r++) {
    const mean = <T>(totalOf<T>(a, n, 1) / <f64>n);
    const variance = <T>(deviationsOf<T>(a, n, 1, mean) / <f64>n);
    scale<T>(out, a, n, mean, <T>(1 / sqrt<f64>(<f64>variance + epsilon)), gain, shift);
    out += n * sizeof<T>(), a += n * sizeof<T>();
  }
}

// @ts-ignore: decorator
@inline
function rmsNorm<T>(out: usize, a: usize, gain: usize, shift: usize, rows: usize, n: usize, epsilon: f64): void {
  for (let r: usize = 0; r < rows; r++) {
    const factor = <T>(1 / sqrt<f64>(squaresOf<T>(a, n, 1) / <f64>n + epsilon));
    scale<T>(out, a, n, 0, factor, gain, shift);
    out += n * sizeof<T>(), a += n * sizeof<T>();
  }
}

export function softmax_f32(out: usize, a: usize, rows: usize, n: usize): void {
  softmax<f32>(out, a, rows, n);
}

export function layerNorm_f32(out: usize, a: usize, gain: usize, shift: usize, rows: usize, n: usize, epsilon: f64): void {
  layerNorm<f32>(out, a, gain, shift, rows, n, epsilon);
}

export function rmsNorm_f32(out: usize, a: usize, gain: usize, shift: usize, rows: usize, n: usize, epsilon: f64): void {
  rmsNorm<f32>(out, a, gain, shift, rows, n, epsilon);
}

export function softmax_f64(out: usize, a: usize, rows: usize, n: usize): void {
  softmax<f64>(out, a, rows, n);
}

export function layerNorm_f64(out: usize, a: usize, gain: usize, shift: usize, rows: usize, n: usize, epsilon: f64): void {
  layerNorm<f64>(out, a, gain, shift, rows, n, epsilon);
}

export function rmsNorm_f64(out: usize, a: usize, gain: usize, shift: usize, rows: usize, n: usize, epsilon: f64): void {
  rmsNorm<f64>(out, a, gain, shift, rows, n, epsilon);
}
