/**
 * The greatest k of each row (rule N10 of the page on tensors).
 *
 * O1. The best so far stand in the result in order; an element is put in where it belongs, after its equals. Whole vectors that hold
 *     nothing greater than the last are skipped. NaN counts as greater than every number.
 * O2. The place is found by halving, and what stands behind it moves as one block: so a row that only grows costs a move of k elements for each of
 *     its own, and no more.
 */

// @ts-ignore: decorator
@inline
function greater<T>(x: T, y: T): bool {
  return x > y || (x != x && y == y);
}

/** Put element `i` of value x into the `held` best, of which there may be k; how many are held then. */
// @ts-ignore: decorator
@inline
function insert<T>(values: usize, indices: usize, x: T, i: usize, held: usize, k: usize): usize {
  if (held == k && !greater<T>(x, load<T>(values + (k - 1) * sizeof<T>()))) return held;
  let at: usize = 0, end = held < k ? held : k - 1;
  const last = end;
  while (at < end) {
    const middle = (at + end) >> 1;
    if (greater<T>(x, load<T>(values + middle * sizeof<T>()))) end = middle;
    else at = middle + 1;
  }
  const to = values + at * sizeof<T>(), index = indices + 4 * at;
  memory.copy(to + sizeof<T>(), to, (last - at) * sizeof<T>());
  memory.copy(index + 4, index, (last - at) * 4);
  store<T>(to, x);
  store<i32>(index, <i32>i);
  return held < k ? held + 1 : k;
}

/** Whether no lane of a vector is 0. */
// @ts-ignore: decorator
@inline
function allTrue<T>(lanes: v128): bool {
  if (sizeof<T>() == 8) return i64x2.all_true(lanes);
  if (sizeof<T>() == 4) return i32x4.all_true(lanes);
  return i8x16.all_true(lanes);
}

// @ts-ignore: decorator
@inline
function topK<T>(values: usize, indices: usize, a: usize, rows: usize, n: usize, sr: usize, sa: usize, k: usize): void {
  const width: usize = 16 / sizeof<T>();
  for (let r: usize = 0; r < rows; r++) {
    let held: usize = 0, i: usize = 0;
    while (i < n) {
      if (sa == 1 && held == k && i + width <= n) {
        const last = v128.splat<T>(load<T>(values + (k - 1) * sizeof<T>()));
        const none = v128.le<T>(v128.load(a + i * sizeof<T>()), last);
        if (allTrue<T>(none)) {
          i += width;
          continue;
        }
        for (const end = i + width; i < end; i++) insert<T>(values, indices, load<T>(a + i * sizeof<T>()), i, k, k);
        continue;
      }
      held = insert<T>(values, indices, load<T>(a + i * sa * sizeof<T>()), i, held, k);
      i++;
    }
    values += k * sizeof<T>(), indices += 4 * k, a += sr * sizeof<T>();
  }
}

export function topK_f32(values: usize, indices: usize, a: usize, rows: usize, n: usize, sr: usize, sa: usize, k: usize): void {
  topK<f32>(values, indices, a, rows, n, sr, sa, k);
}

export function topK_f64(values: usize, indices: usize, a: usize, rows: usize, n: usize, sr: usize, sa: usize, k: usize): void {
  topK<f64>(values, indices, a, rows, n, sr, sa, k);
}

export function topK_i32(values: usize, indices: usize, a: usize, rows: usize, n: usize, sr: usize, sa: usize, k: usize): void {
  topK<i32>(values, indices, a, rows, n, sr, sa, k);
}

export function topK_i8(values: usize, indices: usize, a: usize, rows: usize, n: usize, sr: usize, sa: usize, k: usize): void {
  topK<i8>(values, indices, a, rows, n, sr, sa, k);
}

export function topK_u8(values: usize, indices: usize, a: usize, rows: usize, n: usize, sr: usize, sa: usize, k: usize): void {
  topK<u8>(values, indices, a, rows, n, sr, sa, k);
}
