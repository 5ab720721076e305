/** Comparisons, which write one byte per element, and choices by them (rule N3 of the page on tensors). */

const EQUAL = 0;
const LESS = 1;
const LESS_EQUAL = 2;

// @ts-ignore: decorator
@inline
function compare<T>(op: i32, out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  sa *= sizeof<T>(), sb *= sizeof<T>();
  for (let i: usize = 0; i < n; i++) {
    const x = load<T>(a), y = load<T>(b);
    store<u8>(out, <u8>(op == EQUAL ? x == y : op == LESS ? x < y : x <= y));
    out += so, a += sa, b += sb;
  }
}

/** `T` is an integer of the element's size: nothing is computed. */
// @ts-ignore: decorator
@inline
function select<T>(
  out: usize, condition: usize, a: usize, b: usize, n: usize, so: usize, sc: usize, sa: usize, sb: usize,
): void {
  so *= sizeof<T>(), sa *= sizeof<T>(), sb *= sizeof<T>();
  for (let i: usize = 0; i < n; i++) {
    store<T>(out, load<u8>(condition) != 0 ? load<T>(a) : load<T>(b));
    out += so, condition += sc, a += sa, b += sb;
  }
}

export function equal_f32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<f32>(EQUAL, out, a, b, n, so, sa, sb);
}

export function equal_f64(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<f64>(EQUAL, out, a, b, n, so, sa, sb);
}

export function equal_i32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<i32>(EQUAL, out, a, b, n, so, sa, sb);
}

export function equal_i8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<i8>(EQUAL, out, a, b, n, so, sa, sb);
}

export function equal_u8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<u8>(EQUAL, out, a, b, n, so, sa, sb);
}

export function equal_bool(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<u8>(EQUAL, out, a, b, n, so, sa, sb);
}

export function less_f32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<f32>(LESS, out, a, b, n, so, sa, sb);
}

export function less_f64(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<f64>(LESS, out, a, b, n, so, sa, sb);
}

export function less_i32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<i32>(LESS, out, a, b, n, so, sa, sb);
}

export function less_i8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<i8>(LESS, out, a, b, n, so, sa, sb);
}

export function less_u8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<u8>(LESS, out, a, b, n, so, sa, sb);
}

export function lessEqual_f32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<f32>(LESS_EQUAL, out, a, b, n, so, sa, sb);
}

export function lessEqual_f64(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<f64>(LESS_EQUAL, out, a, b, n, so, sa, sb);
}

export function lessEqual_i32(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<i32>(LESS_EQUAL, out, a, b, n, so, sa, sb);
}

export function lessEqual_i8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<i8>(LESS_EQUAL, out, a, b, n, so, sa, sb);
}

export function lessEqual_u8(out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize): void {
  compare<u8>(LESS_EQUAL, out, a, b, n, so, sa, sb);
}

export function select_f32(
  out: usize, condition: usize, a: usize, b: usize, n: usize, so: usize, sc: usize, sa: usize, sb: usize,
): void {
  select<i32>(out, condition, a, b, n, so, sc, sa, sb);
}

export function select_f64(
  out: usize, condition: usize, a: usize, b: usize, n: usize, so: usize, sc: usize, sa: usize, sb: usize,
): void {
  select<i64>(out, condition, a, b, n, so, sc, sa, sb);
}

export function select_i32(
  out: usize, condition: usize, a: usize, b: usize, n: usize, so: usize, sc: usize, sa: usize, sb: usize,
): void {
  select<i32>(out, condition, a, b, n, so, sc, sa, sb);
}

export function select_i8(
  out: usize, condition: usize, a: usize, b: usize, n: usize, so: usize, sc: usize, sa: usize, sb: usize,
): void {
  select<u8>(out, condition, a, b, n, so, sc, sa, sb);
}

export function select_u8(
  out: usize, condition: usize, a: usize, b: usize, n: usize, so: usize, sc: usize, sa: usize, sb: usize,
): void {
  select<u8>(out, condition, a, b, n, so, sc, sa, sb);
}

export function select_bool(
  out: usize, condition: usize, a: usize, b: usize, n: usize, so: usize, sc: usize, sa: usize, sb: usize,
): void {
  select<u8>(out, condition, a, b, n, so, sc, sa, sb);
}
