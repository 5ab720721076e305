/**
 * Casts between f32 and integers (rule N9 of the page on tensors): from integers exactly or to the nearest even, to integers towards zero and then
 * modulo 2^32 or 2^8, NaN and infinities to 0.
 *
 * C1. Whole vectors go at once where no element is 2^31 or more in magnitude, so that the conversion of the engine and the modulo agree. Others go one
 *     by one.
 */

/** An element as i32, modulo 2^32. Beyond 2^63 all low bits of an f32 are 0, as infinities and NaN are to be. */
// @ts-ignore: decorator
@inline
function wrapped(x: f32): i32 {
  return abs(x) < <f32>9223372036854775808.0 ? <i32>(<i64>x) : 0;
}

/** The low bytes of 16 words. */
// @ts-ignore: decorator
@inline
function lowBytes(a: v128, b: v128, c: v128, d: v128): v128 {
  const low = v128.shuffle<u8>(a, b, 0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  const high = v128.shuffle<u8>(c, d, 0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  return v128.shuffle<u64>(low, high, 0, 2);
}

/** Whether all four are less than 2^31 in magnitude; NaN is not. */
// @ts-ignore: decorator
@inline
function fits(x: v128): bool {
  return i32x4.all_true(f32x4.lt(f32x4.abs(x), f32x4.splat(2147483648.0)));
}

export function cast_f32_i32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  let i: usize = 0;
  if (so == 1 && sa == 1) {
    for (; i + 4 <= n; i += 4, out += 16, a += 16) {
      const x = v128.load(a);
      if (fits(x)) v128.store(out, i32x4.trunc_sat_f32x4_s(x));
      else for (let j: usize = 0; j < 16; j += 4) store<i32>(out + j, wrapped(load<f32>(a + j)));
    }
  }
  for (; i < n; i++, out += 4 * so, a += 4 * sa) store<i32>(out, wrapped(load<f32>(a)));
}

// @ts-ignore: decorator
@inline
function toBytes(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  let i: usize = 0;
  if (so == 1 && sa == 1) {
    for (; i + 16 <= n; i += 16, out += 16, a += 64) {
      const x = v128.load(a), y = v128.load(a, 16), z = v128.load(a, 32), w = v128.load(a, 48);
      if (fits(x) && fits(y) && fits(z) && fits(w)) {
        const low = lowBytes(i32x4.trunc_sat_f32x4_s(x), i32x4.trunc_sat_f32x4_s(y), i32x4.trunc_sat_f32x4_s(z), i32x4.trunc_sat_f32x4_s(w));
        v128.store(out, low);
      } else {
        for (let j: usize = 0; j < 16; j++) store<u8>(out + j, <u8>wrapped(load<f32>(a + 4 * j)));
      }
    }
  }
  for (; i < n; i++, out += so, a += 4 * sa) store<u8>(out, <u8>wrapped(load<f32>(a)));
}

export function cast_f32_i8(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  toBytes(out, a, n, so, sa);
}

export function cast_f32_u8(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  toBytes(out, a, n, so, sa);
}

export function cast_i32_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  let i: usize = 0;
  if (so == 1 && sa == 1) {
    for (; i + 4 <= n; i += 4, out += 16, a += 16) v128.store(out, f32x4.convert_i32x4_s(v128.load(a)));
  }
  for (; i < n; i++, out += 4 * so, a += 4 * sa) store<f32>(out, <f32>load<i32>(a));
}

export function cast_i8_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  let i: usize = 0;
  if (so == 1 && sa == 1) {
    for (; i + 8 <= n; i += 8, out += 32, a += 8) {
      const words = v128.load_ext<i8>(a);
      v128.store(out, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)));
      v128.store(out, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words)), 16);
    }
  }
  for (; i < n; i++, out += 4 * so, a += sa) store<f32>(out, <f32>load<i8>(a));
}

export function cast_u8_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  let i: usize = 0;
  if (so == 1 && sa == 1) {
    for (; i + 8 <= n; i += 8, out += 32, a += 8) {
      const words = v128.load_ext<u8>(a);
      v128.store(out, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(words)));
      v128.store(out, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(words)), 16);
    }
  }
  for (; i < n; i++, out += 4 * so, a += sa) store<f32>(out, <f32>load<u8>(a));
}

export function cast_i8_i32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  let i: usize = 0;
  if (so == 1 && sa == 1) {
    for (; i + 8 <= n; i += 8, out += 32, a += 8) {
      const words = v128.load_ext<i8>(a);
      v128.store(out, i32x4.extend_low_i16x8_s(words));
      v128.store(out, i32x4.extend_high_i16x8_s(words), 16);
    }
  }
  for (; i < n; i++, out += 4 * so, a += sa) store<i32>(out, load<i8>(a));
}

export function cast_u8_i32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  let i: usize = 0;
  if (so == 1 && sa == 1) {
    for (; i + 8 <= n; i += 8, out += 32, a += 8) {
      const words = v128.load_ext<u8>(a);
      v128.store(out, i32x4.extend_low_i16x8_u(words));
      v128.store(out, i32x4.extend_high_i16x8_u(words), 16);
    }
  }
  for (; i < n; i++, out += 4 * so, a += sa) store<i32>(out, load<u8>(a));
}

// @ts-ignore: decorator
@inline
function wordsToBytes(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  let i: usize = 0;
  if (so == 1 && sa == 1) {
    for (; i + 16 <= n; i += 16, out += 16, a += 64)
      v128.store(out, lowBytes(v128.load(a), v128.load(a, 16), v128.load(a, 32), v128.load(a, 48)));
  }
  for (; i < n; i++, out += so, a += 4 * sa) store<u8>(out, <u8>load<i32>(a));
}

export function cast_i32_i8(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  wordsToBytes(out, a, n, so, sa);
}

export function cast_i32_u8(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  wordsToBytes(out, a, n, so, sa);
}
