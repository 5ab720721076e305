/** Matrices as i8 with one scale: a quarter of the memory of f32, and exact integer products (docs/spec/tensor.md, N10). */
import { BadOptionError, WrongDTypeError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { cast, contiguous } from "./copies.ts";
import { binary, unary } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { reduce } from "./reduce.ts";
import { resultFor } from "./result.ts";

/** A tensor of i8 and what one step of it is worth: the value of an element is `values * scale`. */
export interface Quantised<T> {
  readonly values: T;
  readonly scale: number;
}

/** An f32 tensor as i8. Without a scale, the one that makes the greatest magnitude 127. @throws WrongDTypeError, BadOptionError */
export function quantise<T extends Handle>(a: T, scale: number = scaleOf(a)): Quantised<T> {
  if (a.dtype !== "f32") throw new WrongDTypeError("quantise", a.dtype, ["f32"]);
  if (!(scale > 0 && scale < Number.POSITIVE_INFINITY))
    throw new BadOptionError("quantise", "scale", scale, "a finite number above 0");
  a.at;
  const source = contiguous(a);
  try {
    const values = a.fresh("quantise", "i8", a.shape);
    a.space.backend.kernels.quantize(values.at, source.at, a.size, scale);
    return { values, scale };
  } finally {
    if (source !== a) source.free();
  }
}

/** The greatest magnitude over 127, or 1 for a tensor of zeros or none. */
function scaleOf(a: Handle): number {
  if (a.dtype !== "f32") throw new WrongDTypeError("quantise", a.dtype, ["f32"]);
  if (a.size === 0) return 1;
  const { kernels, memory } = a.space.backend;
  const magnitudes = unary("quantise", kernels.abs, a);
  const most = reduce({ name: "quantise" }, kernels.reduceMax, magnitudes);
  const greatest = memory.f32[most.at / 4] as number;
  for (const one of [magnitudes, most]) one.free();
  return greatest === 0 ? 1 : greatest / 127;
}

/** The f32 tensor that a quantised one stands for. */
export function dequantise<T extends Handle>({ values, scale }: Quantised<T>, out?: T): T {
  if (values.dtype !== "i8" && values.dtype !== "i32")
    throw new WrongDTypeError("dequantise", values.dtype, ["i8", "i32"]);
  const result = resultFor("dequantise", values, "f32", values.shape, out);
  cast(values, "f32", result);
  return binary("dequantise", values.space.backend.kernels.mul, result, scale, result);
}

/** The f32 product of two quantised matrices: exact in i32, then scaled once. */
export function quantisedMatmul<T extends Handle>(a: Quantised<T>, b: Quantised<T>, out?: T): T {
  const sums = matmul(a.values, b.values);
  try {
    return dequantise({ values: sums, scale: a.scale * b.scale }, out);
  } finally {
    sums.free();
  }
}
