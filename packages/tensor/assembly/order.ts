/**
 * The greatest k of each row (rule N10 of the page on tensors).
 *
 * O1. The best so far stand in the result in order; an element is put in where it belongs, after its equals. Whole vectors that hold
 *     nothing greater than the last are skipped. NaN counts as greater than every number.
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
  let at = held < k ? held : k - 1;
  while (at > 0 && greater<T>(x, load<T>(values + (at - 1) * sizeof<T>()))) {
    store<T>(values + at * sizeof<T>(), load<T>(values + (at - 1) * sizeof<T>()));
    store<i32>(indices + 4 * at, load<i32>(indices + 4 * (at - 1)));
    at--;
  }
  store<T>(values + at * sizeof<T>(), x);
  store<i32>(indices + 4 * at, <i32>i);
  return held < k ? held + 1 : k;
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
        if (sizeof<T>() == 4 ? i32x4.all_true(none) : i64x2.all_true(none)) {
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

/** For small k: an element may move k others. */
export function topK_f32(values: usize, indices: usize, a: usize, rows: usize, n: usize, sr: usize, sa: usize, k: usize): void {
  topK<f32>(values, indices, a, rows, n, sr, sa, k);
}

/** For small k: an element may move k others. */
export function topK_f64(values: usize, indices: usize, a: usize, rows: usize, n: usize, sr: usize, sa: usize, k: usize): void {
  topK<f64>(values, indices, a, rows, n, sr, sa, k);
}
