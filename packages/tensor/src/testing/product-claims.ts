/** Claims about products, columns of convolutions and quantised values (docs/spec/tensor.md, N5, N7, N10). */
import assert from "node:assert/strict";
import type { Kernels } from "../backend.ts";
import { type DType, FLOATS } from "../dtype.ts";
import { type Check, eachReduction, greatest, LENGTHS, operand, span, summed } from "./operands.ts";
import { EXACT } from "./twin-memory.ts";

const GEMMS = [
  [1, 1, 1],
  [2, 3, 4],
  [4, 8, 4],
  [5, 7, 9],
  [6, 8, 16],
  [7, 17, 3],
  [12, 16, 33],
  [13, 9, 65],
  [33, 31, 40],
  [64, 64, 64],
  [1, 70, 5],
  [70, 1, 5],
  [3, 3, 0],
  [65, 67, 130],
] as const;

type Multiply = (kernels: Kernels, ...args: Parameters<Kernels["gemmI8"]>) => void;

function gemmOf(name: string, from: DType, to: DType, multiply: Multiply): Check {
  return (twins, near) => {
    for (const [m, n, k] of GEMMS)
      for (const [flipA, flipB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const)
        for (const wide of [0, 3]) {
          twins.clear();
          const a = twins.random(from, m * k);
          const b = twins.random(from, k * n);
          const count = (m - 1) * (n + wide) + n;
          const out = twins.room(to, count);
          const [ar, ac] = flipA ? [1, m] : [k, 1];
          const [br, bc] = flipB ? [1, k] : [n, 1];
          twins.run((kernels) => multiply(kernels, out, a, b, m, n, k, n + wide, ar, ac, br, bc));
          const magnitude =
            k * greatest(twins.values(from, a, m * k)) * greatest(twins.values(from, b, k * n));
          const unit = from === "f32" ? 2 ** -24 : 2 ** -53;
          const allowed = to === "i32" ? EXACT : near(() => 2 * (k + 8) * unit * magnitude);
          const what = `${name}, ${m} x ${k} times ${k} x ${n}, ${flipA ? "a" : ""}${flipB ? "b" : ""} transposed`;
          twins.compare(what, to, out, count, allowed);
        }
  };
}

export const products: Readonly<Record<string, Check>> = {
  "gemm of f32 takes any strides": gemmOf("gemm f32", "f32", "f32", (kernels, ...args) =>
    kernels.gemm.f32(...args),
  ),
  "gemm of f64 takes any strides": gemmOf("gemm f64", "f64", "f64", (kernels, ...args) =>
    kernels.gemm.f64(...args),
  ),
  "gemm of i32 is exact modulo 2^32": gemmOf("gemm i32", "i32", "i32", (kernels, ...args) =>
    kernels.gemm.i32(...args),
  ),
  "gemm of i8 is exact": gemmOf("gemm i8", "i8", "i32", (kernels, ...args) => kernels.gemmI8(...args)),
  "gemm of i8 is exact at the extremes, also -128 times -128": (twins) => {
    for (const k of [1, 15, 64, 1000]) {
      twins.clear();
      const [m, n] = [5, 9];
      const a = twins.put("i8", new Array(m * k).fill(-128));
      const b = twins.put(
        "i8",
        Array.from({ length: k * n }, (_, i) => (i % 3 === 0 ? 127 : -128)),
      );
      const out = twins.room("i32", m * n);
      twins.run((kernels) => kernels.gemmI8(out, a, b, m, n, k, n, k, 1, n, 1));
      twins.compare(`gemm i8 of extremes, k ${k}`, "i32", out, m * n);
    }
  },
  "gemm passes NaN and infinities on to their row and column only": (twins, near) => {
    for (const dtype of FLOATS) {
      twins.clear();
      const a = twins.random(dtype, 13 * 21, true);
      const b = twins.random(dtype, 21 * 11);
      const out = twins.room(dtype, 13 * 11);
      twins.run((kernels) => kernels.gemm[dtype](out, a, b, 13, 11, 21, 11, 21, 1, 11, 1));
      twins.compare(
        `gemm ${dtype} of specials`,
        dtype,
        out,
        13 * 11,
        near((value) => 1e-5 * Math.abs(value) + 1e-3),
      );
    }
  },
  "dot adds rounded products in stripes": (twins, near) => {
    for (const dtype of FLOATS)
      eachReduction((rows, n, so, sr, sa) => {
        for (const sb of [1, 2]) {
          twins.clear();
          const reach = rows === 0 || n === 0 ? 0 : (rows - 1) * sr + (n - 1) * sa + 1;
          const a = twins.random(dtype, reach);
          const b = operand(twins, dtype, n, sb, false);
          const { count } = span(rows, so);
          const out = twins.room(dtype, count);
          twins.run((kernels) => kernels.dot[dtype](out, a, b, rows, n, so, sr, sa, sb));
          const magnitude = n * greatest(twins.values(dtype, a, reach)) * 32;
          const allowed = near((value) => summed(dtype, value, magnitude));
          twins.compare(
            `dot ${dtype}, ${rows} rows of ${n}, strides ${so} ${sr} ${sa} ${sb}`,
            dtype,
            out,
            count,
            allowed,
          );
        }
      });
  },
  "dot of i32 is exact modulo 2^32": (twins) => {
    for (const n of LENGTHS) {
      twins.clear();
      const a = operand(twins, "i32", 3 * n, 1);
      const b = operand(twins, "i32", n, 1);
      const out = twins.room("i32", 3);
      twins.run((kernels) => kernels.dot.i32(out, a, b, 3, n, 1, n, 1, 1));
      twins.compare(`dot i32, n ${n}`, "i32", out, 3);
    }
  },
  "im2col lays out columns with padding, stride and dilation": (twins) => {
    for (const dtype of FLOATS)
      for (const [c, h, w, kh, kw, sh, sw, ph, pw, dh, dw] of [
        [1, 4, 4, 3, 3, 1, 1, 1, 1, 1, 1],
        [3, 7, 5, 2, 3, 2, 1, 0, 2, 1, 1],
        [2, 9, 17, 3, 3, 1, 2, 2, 2, 2, 3],
        [1, 1, 33, 1, 5, 1, 1, 0, 2, 1, 1],
      ] as const) {
        twins.clear();
        const high = Math.floor((h + 2 * ph - dh * (kh - 1) - 1) / sh) + 1;
        const wide = Math.floor((w + 2 * pw - dw * (kw - 1) - 1) / sw) + 1;
        const image = twins.random(dtype, c * h * w);
        const count = c * kh * kw * high * wide;
        const out = twins.room(dtype, count);
        twins.run((kernels) => kernels.im2col[dtype](out, image, c, h, w, kh, kw, sh, sw, ph, pw, dh, dw));
        twins.compare(`im2col ${dtype}, image ${h} x ${w}, kernel ${kh} x ${kw}`, dtype, out, count);
      }
  },
  "quantize rounds half to even, keeps to -127 to 127, and makes NaN 0": (twins) => {
    for (const n of LENGTHS) {
      twins.clear();
      const a = operand(twins, "f32", n, 1);
      const out = twins.room("i8", n);
      twins.run((kernels) => kernels.quantize(out, a, n, 0.031));
      twins.compare(`quantize, n ${n}`, "i8", out, n);
    }
    twins.clear();
    const halves = twins.put("f32", [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, 127.5, 1e9, -1e9, Number.NaN]);
    const out = twins.room("i8", 11);
    twins.run((kernels) => kernels.quantize(out, halves, 11, 1));
    twins.compare("quantize of halves", "i8", out, 11);
    assert.deepEqual(Array.from(twins.values("i8", out, 11)), [0, 2, 2, 0, -2, -2, 126, 127, 127, -127, 0]);
  },
};
