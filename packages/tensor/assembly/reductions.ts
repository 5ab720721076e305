/** Reductions of floats: sums in stripes (`striped.ts`) and extremes (rules N2, N5, N6 of the page on tensors). */
import { extremes, together, totals } from "./columns";
import { DEVIATION, PRODUCT, SQUARE, TERM, total } from "./striped";

// Functions of their own, so that each loop is compiled once and gets all registers.

export function totalF32(a: usize, n: usize, sa: usize): f64 {
  return total<f32>(TERM, a, 0, n, sa, 0, 0);
}

export function totalF64(a: usize, n: usize, sa: usize): f64 {
  return total<f64>(TERM, a, 0, n, sa, 0, 0);
}

export function squaresF32(a: usize, n: usize, sa: usize): f64 {
  return total<f32>(SQUARE, a, 0, n, sa, 0, 0);
}

export function squaresF64(a: usize, n: usize, sa: usize): f64 {
  return total<f64>(SQUARE, a, 0, n, sa, 0, 0);
}

export function deviationsF32(a: usize, n: usize, sa: usize, mean: f32): f64 {
  return total<f32>(DEVIATION, a, 0, n, sa, 0, mean);
}

export function deviationsF64(a: usize, n: usize, sa: usize, mean: f64): f64 {
  return total<f64>(DEVIATION, a, 0, n, sa, 0, mean);
}

// @ts-ignore: decorator
@inline
export function totalOf<T>(a: usize, n: usize, sa: usize): f64 {
  return sizeof<T>() == 4 ? totalF32(a, n, sa) : totalF64(a, n, sa);
}

// @ts-ignore: decorator
@inline
export function squaresOf<T>(a: usize, n: usize, sa: usize): f64 {
  return sizeof<T>() == 4 ? squaresF32(a, n, sa) : squaresF64(a, n, sa);
}

// @ts-ignore: decorator
@inline
export function deviationsOf<T>(a: usize, n: usize, sa: usize, mean: T): f64 {
  return sizeof<T>() == 4 ? deviationsF32(a, n, sa, <f32>mean) : deviationsF64(a, n, sa, <f64>mean);
}

const SUM = 0;
const MEAN = 1;
const NORM = 2;

// @ts-ignore: decorator
@inline
function reduce<T>(kind: i32, out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  let r: usize = 0;
  if (sr == 1 && sa != 1) {
    for (; r + together<T>() <= rows; r += together<T>()) {
      const sums = totals<T>(kind == NORM ? SQUARE : TERM, a, 0, n, sa, 0);
      for (let l: usize = 0; l < together<T>(); l++) {
        finish<T>(kind, out, load<f64>(sums + 8 * l), n);
        out += so * sizeof<T>(), a += sizeof<T>();
      }
    }
  }
  for (; r < rows; r++) {
    finish<T>(kind, out, kind == NORM ? squaresOf<T>(a, n, sa) : totalOf<T>(a, n, sa), n);
    out += so * sizeof<T>(), a += sr * sizeof<T>();
  }
}

// @ts-ignore: decorator
@inline
function finish<T>(kind: i32, out: usize, total: f64, n: usize): void {
  if (kind == NORM) total = sqrt<f64>(total);
  if (kind == MEAN) total /= <f64>n;
  store<T>(out, <T>total);
}

// @ts-ignore: decorator
@inline
function variance<T>(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize, ddof: usize): void {
  for (let r: usize = 0; r < rows; r++) {
    const mean = <T>(totalOf<T>(a, n, sa) / <f64>n);
    store<T>(out, <T>(deviationsOf<T>(a, n, sa, mean) / <f64>(n - ddof)));
    out += so * sizeof<T>(), a += sr * sizeof<T>();
  }
}

// @ts-ignore: decorator
@inline
function dot<T>(out: usize, a: usize, b: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize, sb: usize): void {
  let r: usize = 0;
  if (sr == 1 && sa != 1) {
    for (; r + together<T>() <= rows; r += together<T>()) {
      const sums = totals<T>(PRODUCT, a, b, n, sa, sb);
      for (let l: usize = 0; l < together<T>(); l++) {
        store<T>(out, <T>load<f64>(sums + 8 * l));
        out += so * sizeof<T>(), a += sizeof<T>();
      }
    }
  }
  for (; r < rows; r++) {
    store<T>(out, <T>total<T>(PRODUCT, a, b, n, sa, sb, <T>0));
    out += so * sizeof<T>(), a += sr * sizeof<T>();
  }
}

// @ts-ignore: decorator
@inline
function picked<T>(least: bool, x: v128, y: v128): v128 {
  return least ? v128.min<T>(x, y) : v128.max<T>(x, y);
}

/** The least or greatest of one row; the order of comparing does not matter (N2). */
// @ts-ignore: decorator
@inline
export function extremeOf<T>(least: bool, a: usize, n: usize, sa: usize): T {
  let best = load<T>(a);
  let i: usize = 0;
  if (sa == 1) {
    const width: usize = 16 / sizeof<T>();
    let x = v128.splat<T>(best), y = x;
    for (; i + 2 * width <= n; i += 2 * width) {
      x = picked<T>(least, x, v128.load(a + i * sizeof<T>()));
      y = picked<T>(least, y, v128.load(a + i * sizeof<T>(), 16));
    }
    x = picked<T>(least, x, y);
    x = picked<T>(least, x, i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    if (sizeof<T>() == 4) x = picked<T>(least, x, i8x16.shuffle(x, x, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7));
    best = v128.extract_lane<T>(x, 0);
  }
  for (; i < n; i++) {
    const value = load<T>(a + i * sa * sizeof<T>());
    best = least ? min<T>(best, value) : max<T>(best, value);
  }
  return best;
}

// @ts-ignore: decorator
@inline
function extreme<T>(least: bool, out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  let r: usize = 0;
  if (sr == 1 && sa != 1 && n != 0) {
    for (; r + together<T>() <= rows; r += together<T>(), a += 64) {
      const best = extremes<T>(least, a, n, sa);
      for (let l: usize = 0; l < together<T>(); l++, out += so * sizeof<T>()) store<T>(out, load<T>(best + l * sizeof<T>()));
    }
  }
  for (; r < rows; r++) {
    store<T>(out, extremeOf<T>(least, a, n, sa));
    out += so * sizeof<T>(), a += sr * sizeof<T>();
  }
}

/** The first index of the extreme: of NaN where there is one, else of a value equal to it. */
// @ts-ignore: decorator
@inline
function place<T>(least: bool, out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  for (let r: usize = 0; r < rows; r++) {
    const best = extremeOf<T>(least, a, n, sa);
    let i: usize = 0;
    if (best != best) while (load<T>(a + i * sa * sizeof<T>()) == load<T>(a + i * sa * sizeof<T>())) i++;
    else while (load<T>(a + i * sa * sizeof<T>()) != best) i++;
    store<i32>(out, <i32>i);
    out += so * 4, a += sr * sizeof<T>();
  }
}

export function sum_f32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  reduce<f32>(SUM, out, a, rows, n, so, sr, sa);
}

export function mean_f32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  reduce<f32>(MEAN, out, a, rows, n, so, sr, sa);
}

export function norm_f32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  reduce<f32>(NORM, out, a, rows, n, so, sr, sa);
}

export function variance_f32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize, ddof: usize): void {
  variance<f32>(out, a, rows, n, so, sr, sa, ddof);
}

export function dot_f32(
  out: usize, a: usize, b: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize, sb: usize,
): void {
  dot<f32>(out, a, b, rows, n, so, sr, sa, sb);
}

export function sum_f64(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  reduce<f64>(SUM, out, a, rows, n, so, sr, sa);
}

export function mean_f64(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  reduce<f64>(MEAN, out, a, rows, n, so, sr, sa);
}

export function norm_f64(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  reduce<f64>(NORM, out, a, rows, n, so, sr, sa);
}

export function variance_f64(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize, ddof: usize): void {
  variance<f64>(out, a, rows, n, so, sr, sa, ddof);
}

export function dot_f64(
  out: usize, a: usize, b: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize, sb: usize,
): void {
  dot<f64>(out, a, b, rows, n, so, sr, sa, sb);
}

export function reduceMin_f32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  extreme<f32>(true, out, a, rows, n, so, sr, sa);
}

export function reduceMax_f32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  extreme<f32>(false, out, a, rows, n, so, sr, sa);
}

export function argmin_f32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  place<f32>(true, out, a, rows, n, so, sr, sa);
}

export function argmax_f32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  place<f32>(false, out, a, rows, n, so, sr, sa);
}

export function reduceMin_f64(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  extreme<f64>(true, out, a, rows, n, so, sr, sa);
}

export function reduceMax_f64(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  extreme<f64>(false, out, a, rows, n, so, sr, sa);
}

export function argmin_f64(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  place<f64>(true, out, a, rows, n, so, sr, sa);
}

export function argmax_f64(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  place<f64>(false, out, a, rows, n, so, sr, sa);
}

export function reduceMin_i32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  extreme<i32>(true, out, a, rows, n, so, sr, sa);
}

export function reduceMax_i32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  extreme<i32>(false, out, a, rows, n, so, sr, sa);
}

export function argmin_i32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  place<i32>(true, out, a, rows, n, so, sr, sa);
}

export function argmax_i32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  place<i32>(false, out, a, rows, n, so, sr, sa);
}
