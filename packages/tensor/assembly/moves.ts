/** Moves without arithmetic: copies, fills and the columns of a convolution. */

// @ts-ignore: decorator
@inline
function copy<T>(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  if (so == 1 && sa == 1) {
    memory.copy(out, a, n * sizeof<T>());
    return;
  }
  for (let i: usize = 0; i < n; i++) {
    store<T>(out, load<T>(a));
    out += so * sizeof<T>(), a += sa * sizeof<T>();
  }
}

// @ts-ignore: decorator
@inline
function fill<T>(out: usize, value: T, n: usize, so: usize): void {
  let i: usize = 0;
  if (so == 1) {
    const x = v128.splat<T>(value);
    const width: usize = 16 / sizeof<T>();
    for (; i + width <= n; i += width, out += 16) v128.store(out, x);
  }
  for (; i < n; i++, out += so * sizeof<T>()) store<T>(out, value);
}

/** One row of columns: the pixels that one weight of the kernel meets along a line of the image; outside of it is zero. */
// @ts-ignore: decorator
@inline
function line<T>(out: usize, image: usize, width: i32, ow: i32, first: i32, stride: i32): void {
  let x: i32 = 0;
  for (; x < ow && first + x * stride < 0; x++) store<T>(out + x * sizeof<T>(), <T>0);
  if (stride == 1) {
    const count = max(0, min(ow, width - first) - x);
    memory.copy(out + x * sizeof<T>(), image + (first + x) * sizeof<T>(), count * sizeof<T>());
    x += count;
  } else {
    for (; x < ow && first + x * stride < width; x++) store<T>(out + x * sizeof<T>(), load<T>(image + (first + x * stride) * sizeof<T>()));
  }
  for (; x < ow; x++) store<T>(out + x * sizeof<T>(), <T>0);
}

// @ts-ignore: decorator
@inline
function im2col<T>(
  out: usize, image: usize, channels: i32, height: i32, width: i32, kh: i32, kw: i32,
  strideH: i32, strideW: i32, padH: i32, padW: i32, dilH: i32, dilW: i32,
): void {
  const oh = (height + 2 * padH - dilH * (kh - 1) - 1) / strideH + 1;
  const ow = (width + 2 * padW - dilW * (kw - 1) - 1) / strideW + 1;
  for (let c: i32 = 0; c < channels; c++) {
    for (let i: i32 = 0; i < kh; i++) {
      for (let j: i32 = 0; j < kw; j++) {
        for (let y: i32 = 0; y < oh; y++, out += ow * sizeof<T>()) {
          const from = y * strideH - padH + i * dilH;
          if (from < 0 || from >= height) memory.fill(out, 0, ow * sizeof<T>());
          else line<T>(out, image + from * width * sizeof<T>(), width, ow, j * dilW - padW, strideW);
        }
      }
    }
    image += height * width * sizeof<T>();
  }
}

export function copy_f32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  copy<f32>(out, a, n, so, sa);
}

export function fill_f32(out: usize, value: f32, n: usize, so: usize): void {
  fill<f32>(out, value, n, so);
}

export function copy_f64(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  copy<f64>(out, a, n, so, sa);
}

export function fill_f64(out: usize, value: f64, n: usize, so: usize): void {
  fill<f64>(out, value, n, so);
}

export function copy_i32(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  copy<i32>(out, a, n, so, sa);
}

export function fill_i32(out: usize, value: i32, n: usize, so: usize): void {
  fill<i32>(out, value, n, so);
}

export function copy_i8(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  copy<i8>(out, a, n, so, sa);
}

export function fill_i8(out: usize, value: i32, n: usize, so: usize): void {
  fill<i8>(out, <i8>value, n, so);
}

export function copy_u8(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  copy<u8>(out, a, n, so, sa);
}

export function fill_u8(out: usize, value: i32, n: usize, so: usize): void {
  fill<u8>(out, <u8>value, n, so);
}

export function copy_bool(out: usize, a: usize, n: usize, so: usize, sa: usize): void {
  copy<u8>(out, a, n, so, sa);
}

export function im2col_f32(
  out: usize, image: usize, channels: i32, height: i32, width: i32, kh: i32, kw: i32,
  strideH: i32, strideW: i32, padH: i32, padW: i32, dilH: i32, dilW: i32,
): void {
  im2col<f32>(out, image, channels, height, width, kh, kw, strideH, strideW, padH, padW, dilH, dilW);
}

export function im2col_f64(
  out: usize, image: usize, channels: i32, height: i32, width: i32, kh: i32, kw: i32,
  strideH: i32, strideW: i32, padH: i32, padW: i32, dilH: i32, dilW: i32,
): void {
  im2col<f64>(out, image, channels, height, width, kh, kw, strideH, strideW, padH, padW, dilH, dilW);
}
