/**
 * What the elements of a tensor are.
 *
 * D1. Elements lie in memory little-endian, as typed arrays hold them on every machine Node runs on; `bool` is one byte, 0 or 1.
 * D2. Operations never convert: operands have one dtype, and `cast` is explicit (docs/spec/tensor.md, T3).
 */

/** Floating point. */
export type Float = "f32" | "f64";

/** What can be added and multiplied. Integers wrap around. */
export type Numeric = Float | "i32" | "i8" | "u8";

/** Every dtype. */
export type DType = Numeric | "bool";

/** All dtypes, in the order of their codes in snapshots and host calls (docs/spec/tensor.md, T2). Never reordered. */
export const DTYPES: readonly DType[] = ["f32", "f64", "i32", "i8", "u8", "bool"];

/** Floating point dtypes. */
export const FLOATS: readonly Float[] = ["f32", "f64"];

/** Numeric dtypes. */
export const NUMERICS: readonly Numeric[] = ["f32", "f64", "i32", "i8", "u8"];

/** Bytes of one element. */
export const BYTES: Readonly<Record<DType, 1 | 4 | 8>> = { f32: 4, f64: 8, i32: 4, i8: 1, u8: 1, bool: 1 };

/** The typed array over elements of a dtype. */
export interface ArrayOf {
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly i32: Int32Array;
  readonly i8: Int8Array;
  readonly u8: Uint8Array;
  readonly bool: Uint8Array;
}
