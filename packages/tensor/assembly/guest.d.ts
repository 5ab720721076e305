/** The kernels for guests as types, for editors; all others have the parameters of `Kernels` too. The sources are compiled by `asc` only. */
type usize = number;

/** Take the working memory of the kernels from the guest's heap. */
export declare function useHeap(): void;

type Binary = (out: usize, a: usize, b: usize, n: usize, so: usize, sa: usize, sb: usize) => void;
type Unary = (out: usize, a: usize, n: usize, so: usize, sa: usize) => void;
type Dot = (
  out: usize, a: usize, b: usize, rows: usize, n: usize, so: usize, sr: usize, sa: usize, sb: usize,
) => void;
type Gemm = (
  out: usize, a: usize, b: usize, m: usize, n: usize, k: usize, or: usize, ar: usize, ac: usize, br: usize, bc: usize,
) => void;
type TopK = (values: usize, indices: usize, a: usize, rows: usize, n: usize, sr: usize, sa: usize, k: usize) => void;

export declare const add_f32: Binary;
export declare const sub_f32: Binary;
export declare const mul_f32: Binary;
export declare const div_f32: Binary;
export declare const exp_f32: Unary;
export declare const tanh_f32: Unary;
export declare const sigmoid_f32: Unary;
export declare const relu_f32: Unary;
export declare const dot_f32: Dot;
export declare const gemm_f32: Gemm;
export declare const gemm_f64: Gemm;
export declare const gemmI8: Gemm;
export declare const topK_f32: TopK;
export declare function softmax_f32(out: usize, a: usize, rows: usize, n: usize): void;
