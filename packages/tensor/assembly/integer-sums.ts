/** Sums of integers and of bool, into i32. */

/** The sum of integers modulo 2^32 for each row. */
// @ts-ignore: decorator
@inline
function sum<T>(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  for (let r: usize = 0; r < rows; r++) {
    let total: i32 = 0;
    for (let i: usize = 0, at = a; i < n; i++, at += sa * sizeof<T>()) total += <i32>load<T>(at);
    store<i32>(out, total);
    out += 4 * so, a += sr * sizeof<T>();
  }
}

export function sum_i32(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  sum<i32>(out, a, rows, n, so, sr, sa);
}

export function sum_i8(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  sum<i8>(out, a, rows, n, so, sr, sa);
}

export function sum_u8(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  sum<u8>(out, a, rows, n, so, sr, sa);
}

export function sum_bool(out: usize, a: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize): void {
  sum<u8>(out, a, rows, n, so, sr, sa);
}
