/** `glia.tensor.v1` as data: what a guest may import to compute with tensors of its host (docs/spec/tensor.md, G1 to G7). Never renamed. */
import type { HostFunction, HostValue } from "../ports/host-module.ts";

/** The module name of the tensor imports. */
export const TENSOR_MODULE = "glia.tensor.v1";

function of(...params: HostValue[]): HostFunction {
  return { params, result: "i32" };
}

/** A function's name. */
export type TensorFunction =
  | "tensor_zeros"
  | "tensor_ones"
  | "tensor_full"
  | "tensor_from"
  | "tensor_read"
  | "tensor_write"
  | "tensor_get_shape"
  | "tensor_get_dtype"
  | "tensor_free"
  | "tensor_add"
  | "tensor_dot"
  | "tensor_matmul"
  | "tensor_matmul_into"
  | "tensor_unary"
  | "tensor_binary"
  | "tensor_with_number"
  | "tensor_add_scaled"
  | "tensor_reduce"
  | "tensor_softmax"
  | "tensor_top_k"
  | "tensor_cosine"
  | "tensor_cast"
  | "tensor_reshape"
  | "tensor_transpose"
  | "tensor_select"
  | "tensor_error"
  | "tensor_supports_sve2"
  | "tensor_supports_neon"
  | "tensor_supports_avx2";

/** Every function with its type. */
export const TENSOR_FUNCTIONS: Readonly<Record<TensorFunction, HostFunction>> = {
  tensor_zeros: of("i32", "i32", "i32"),
  tensor_ones: of("i32", "i32", "i32"),
  tensor_full: of("i32", "i32", "i32", "f64"),
  tensor_from: of("i32", "i32", "i32", "i32", "i32"),
  tensor_read: of("i32", "i32", "i32"),
  tensor_write: of("i32", "i32", "i32"),
  tensor_get_shape: of("i32", "i32", "i32"),
  tensor_get_dtype: of("i32"),
  tensor_free: of("i32"),
  tensor_add: of("i32", "i32"),
  tensor_dot: of("i32", "i32", "i32"),
  tensor_matmul: of("i32", "i32"),
  tensor_matmul_into: of("i32", "i32", "i32", "i32"),
  tensor_unary: of("i32", "i32", "i32"),
  tensor_binary: of("i32", "i32", "i32", "i32"),
  tensor_with_number: of("i32", "i32", "f64", "i32"),
  tensor_add_scaled: of("i32", "i32", "f64"),
  tensor_reduce: of("i32", "i32", "i32", "i32"),
  tensor_softmax: of("i32", "i32", "i32"),
  tensor_top_k: of("i32", "i32", "i32"),
  tensor_cosine: of("i32", "i32", "i32"),
  tensor_cast: of("i32", "i32", "i32"),
  tensor_reshape: of("i32", "i32", "i32"),
  tensor_transpose: of("i32"),
  tensor_select: of("i32", "i32", "i32", "i32"),
  tensor_error: of("i32", "i32"),
  tensor_supports_sve2: of(),
  tensor_supports_neon: of(),
  tensor_supports_avx2: of(),
};
