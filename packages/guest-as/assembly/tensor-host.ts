/** The imports of module `glia.tensor.v1` as they are; tensor.ts wraps them. */

@external("glia.tensor.v1", "tensor_full")
export declare function full(dtype: i32, shape: usize, rank: i32, value: f64): i32;

@external("glia.tensor.v1", "tensor_from")
export declare function from(dtype: i32, shape: usize, rank: i32, data: usize, bytes: i32): i32;

@external("glia.tensor.v1", "tensor_read")
export declare function read(handle: i32, pointer: usize, capacity: i32): i32;

@external("glia.tensor.v1", "tensor_write")
export declare function write(handle: i32, pointer: usize, bytes: i32): i32;

@external("glia.tensor.v1", "tensor_get_shape")
export declare function getShape(handle: i32, pointer: usize, capacity: i32): i32;

@external("glia.tensor.v1", "tensor_get_dtype")
export declare function getDType(handle: i32): i32;

@external("glia.tensor.v1", "tensor_free")
export declare function free(handle: i32): i32;

@external("glia.tensor.v1", "tensor_dot")
export declare function dot(a: i32, b: i32, result: usize): i32;

@external("glia.tensor.v1", "tensor_matmul_into")
export declare function matmulInto(a: i32, b: i32, flags: i32, out: i32): i32;

@external("glia.tensor.v1", "tensor_unary")
export declare function unary(operation: i32, a: i32, out: i32): i32;

@external("glia.tensor.v1", "tensor_binary")
export declare function binary(operation: i32, a: i32, b: i32, out: i32): i32;

@external("glia.tensor.v1", "tensor_with_number")
export declare function withNumber(operation: i32, a: i32, value: f64, out: i32): i32;

@external("glia.tensor.v1", "tensor_add_scaled")
export declare function addScaled(y: i32, x: i32, alpha: f64): i32;

@external("glia.tensor.v1", "tensor_select")
export declare function select_(condition: i32, a: i32, b: i32, out: i32): i32;

@external("glia.tensor.v1", "tensor_reduce")
export declare function reduce(operation: i32, a: i32, axis: i32, out: i32): i32;

@external("glia.tensor.v1", "tensor_softmax")
export declare function softmax(a: i32, axis: i32, out: i32): i32;

@external("glia.tensor.v1", "tensor_top_k")
export declare function topK(a: i32, k: i32, handles: usize): i32;

@external("glia.tensor.v1", "tensor_cosine")
export declare function cosine(a: i32, b: i32, out: i32): i32;

@external("glia.tensor.v1", "tensor_cast")
export declare function cast(a: i32, dtype: i32, out: i32): i32;

@external("glia.tensor.v1", "tensor_reshape")
export declare function reshape(a: i32, shape: usize, rank: i32): i32;

@external("glia.tensor.v1", "tensor_transpose")
export declare function transpose(a: i32): i32;

@external("glia.tensor.v1", "tensor_error")
export declare function error(pointer: usize, capacity: i32): i32;
