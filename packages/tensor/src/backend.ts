/**
 * What computes: the contract between tensors and the code that does their arithmetic.
 *
 * B1. Every tensor of a space lies in the one memory of its backend. Kernels get byte offsets into it and never copy in or out.
 * B2. Offsets are aligned to the element size; blocks from the pool are aligned to 64 bytes and start at `reserved` or later, so 0
 *     is never the offset of a tensor and stands for "none".
 * B3. Strides are in elements, may be 0 (broadcast) or negative (reversed). A kernel is called with lengths that are at least 0 and
 *     ranges that lie inside memory: tensors check, kernels do not.
 * B4. `out` is either exactly an operand (same offset, same strides) or overlaps none, for element-wise kernels. For all others
 *     it overlaps none.
 * B5. Values follow docs/spec/tensor.md (N1 to N12). The backend `fixed` gives the bits stated there; others keep its tolerances.
 * B6. A kernel does not move memory, does not allocate in the pool, and never throws.
 *
 * A backend may implement a few kernels and take the others from `scalarKernels(memory)`, which works over any memory:
 * `{ ...scalar, add: { ...scalar.add, f32: exports.add_f32 } }`. All signatures are numbers only, so WebAssembly exports fit as they are.
 */
import type { DType, Float, Numeric } from "./dtype.ts";

/** The memory of a backend: a growable range of bytes with views of it. */
export interface TensorMemory {
  /** The bytes now. Another object after growth unless it is shared; the old one is detached then. */
  readonly buffer: ArrayBufferLike;
  /** Most bytes it will ever have. */
  readonly limit: number;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly i32: Int32Array;
  readonly i8: Int8Array;
  readonly u8: Uint8Array;
  /** Have at least `bytes`, rounded up as suits. False when that is over `limit` or the system has no more; nothing changed then. */
  grow(bytes: number): boolean;
}

/** out[i*so] = f(a[i*sa]) for i < n. */
export type UnaryKernel = (out: number, a: number, n: number, so: number, sa: number) => void;

/** out[i*so] = f(a[i*sa], b[i*sb]) for i < n. */
export type BinaryKernel = (
  out: number,
  a: number,
  b: number,
  n: number,
  so: number,
  sa: number,
  sb: number,
) => void;

/** out[i*so] = condition[i*sc] !== 0 ? a[i*sa] : b[i*sb] for i < n; `condition` is bool. */
export type SelectKernel = (
  out: number,
  condition: number,
  a: number,
  b: number,
  n: number,
  so: number,
  sc: number,
  sa: number,
  sb: number,
) => void;

/** out[i*so] = value for i < n. */
export type FillKernel = (out: number, value: number, n: number, so: number) => void;

/** y[i*sy] += alpha * x[i*sx] for i < n. */
export type AxpyKernel = (y: number, x: number, alpha: number, n: number, sy: number, sx: number) => void;

/** For each row r < rows: out[r*so] = reduction of a[r*sr + i*sa], i < n. Where it has no value for n = 0, n is at least 1. */
export type ReduceKernel = (
  out: number,
  a: number,
  rows: number,
  n: number,
  so: number,
  sr: number,
  sa: number,
) => void;

/** As {@link ReduceKernel}; the sum of squares is divided by n - ddof, which is at least 1. */
export type VarianceKernel = (
  out: number,
  a: number,
  rows: number,
  n: number,
  so: number,
  sr: number,
  sa: number,
  ddof: number,
) => void;

/** For each row r < rows: out[r*so] = sum of a[r*sr + i*sa] * b[i*sb], i < n. One row is the dot product, many are a matvec. */
export type DotKernel = (
  out: number,
  a: number,
  b: number,
  rows: number,
  n: number,
  so: number,
  sr: number,
  sa: number,
  sb: number,
) => void;

/** out[i*or + j] = sum over p < k, ascending, of a[i*ar + p*ac] * b[p*br + j*bc], i < m, j < n. */
export type GemmKernel = (
  out: number,
  a: number,
  b: number,
  m: number,
  n: number,
  k: number,
  or: number,
  ar: number,
  ac: number,
  br: number,
  bc: number,
) => void;

/** Rows of n contiguous elements: out[r*n + i] from a[r*n .. r*n + n). `out` may be `a`. n is at least 1. */
export type RowKernel = (out: number, a: number, rows: number, n: number) => void;

/** A row kernel with gain and shift of n contiguous elements each, 0 for none, and the epsilon added under the root. */
export type NormKernel = (
  out: number,
  a: number,
  gain: number,
  shift: number,
  rows: number,
  n: number,
  epsilon: number,
) => void;

/** The k greatest of each row, greatest first: values[r*k + i] and i32 indices[r*k + i] of a[r*sr + i*sa], 1 <= k <= n. */
export type TopKKernel = (
  values: number,
  indices: number,
  a: number,
  rows: number,
  n: number,
  sr: number,
  sa: number,
  k: number,
) => void;

/**
 * The columns of a convolution as a matrix [channels * kh * kw, oh * ow] from one contiguous image [channels, height, width]: out of the image is 0.
 * oh = floor((height + 2 * padH - dilH * (kh - 1) - 1) / strideH) + 1, ow likewise, both at least 1.
 */
export type Im2colKernel = (
  out: number,
  image: number,
  channels: number,
  height: number,
  width: number,
  kh: number,
  kw: number,
  strideH: number,
  strideW: number,
  padH: number,
  padW: number,
  dilH: number,
  dilW: number,
) => void;

/** out[i] = the nearest i8 to a[i] / scale, ties to even, within -127 to 127; NaN gives 0. Contiguous. */
export type QuantizeKernel = (out: number, a: number, n: number, scale: number) => void;

/** A kernel for each dtype it exists for. */
export type Per<T extends DType, Kernel> = Readonly<Record<T, Kernel>>;

/** Every kernel. The value rules in brackets are those of docs/spec/tensor.md. */
export interface Kernels {
  readonly fill: Per<DType, FillKernel>;
  readonly copy: Per<DType, UnaryKernel>;
  /** `cast[from][to]` (N9). */
  readonly cast: Per<DType, Per<DType, UnaryKernel>>;

  readonly add: Per<Numeric, BinaryKernel>;
  readonly sub: Per<Numeric, BinaryKernel>;
  readonly mul: Per<Numeric, BinaryKernel>;
  readonly div: Per<Float, BinaryKernel>;
  readonly min: Per<Numeric, BinaryKernel>;
  readonly max: Per<Numeric, BinaryKernel>;
  /** Comparisons write bool. */
  readonly equal: Per<DType, BinaryKernel>;
  readonly less: Per<Numeric, BinaryKernel>;
  readonly lessEqual: Per<Numeric, BinaryKernel>;
  readonly select: Per<DType, SelectKernel>;
  readonly axpy: Per<Float, AxpyKernel>;

  readonly neg: Per<Exclude<Numeric, "u8">, UnaryKernel>;
  readonly abs: Per<Exclude<Numeric, "u8">, UnaryKernel>;
  readonly sqrt: Per<Float, UnaryKernel>;
  readonly exp: Per<Float, UnaryKernel>;
  readonly log: Per<Float, UnaryKernel>;
  readonly tanh: Per<Float, UnaryKernel>;
  readonly sigmoid: Per<Float, UnaryKernel>;
  readonly relu: Per<Float, UnaryKernel>;
  readonly gelu: Per<Float, UnaryKernel>;
  readonly silu: Per<Float, UnaryKernel>;

  /** Floats give their own dtype (N5); integers and bool give i32, modulo 2^32. */
  readonly sum: Per<DType, ReduceKernel>;
  readonly mean: Per<Float, ReduceKernel>;
  readonly variance: Per<Float, VarianceKernel>;
  /** The square root of the sum of squares. */
  readonly norm: Per<Float, ReduceKernel>;
  readonly reduceMin: Per<Numeric, ReduceKernel>;
  readonly reduceMax: Per<Numeric, ReduceKernel>;
  /** These write i32. */
  readonly argmin: Per<Numeric, ReduceKernel>;
  readonly argmax: Per<Numeric, ReduceKernel>;

  readonly dot: Per<Float | "i32", DotKernel>;
  readonly gemm: Per<Float | "i32", GemmKernel>;
  /** i8 times i8 into i32, exact: k is at most 131,071 (2^31 / 2^14, less one). */
  readonly gemmI8: GemmKernel;
  readonly quantize: QuantizeKernel;

  readonly softmax: Per<Float, RowKernel>;
  /** (x - mean) / sqrt(variance + epsilon) * gain + shift. */
  readonly layerNorm: Per<Float, NormKernel>;
  /** x / sqrt(mean of squares + epsilon) * gain + shift. */
  readonly rmsNorm: Per<Float, NormKernel>;
  readonly topK: Per<Numeric, TopKKernel>;
  readonly im2col: Per<Float, Im2colKernel>;
}

/** What computes for one space. */
export interface Backend {
  /** Short and stable, for people and `glia doctor`: `scalar`, `simd`, `relaxed`, `threads`, `fixed`. */
  readonly name: string;
  readonly memory: TensorMemory;
  /** First byte that the pool may use, a multiple of 64, at least 64. What lies below is the backend's own. */
  readonly reserved: number;
  readonly kernels: Kernels;
  /** Give up what is outside memory, such as threads. Called once; nothing is called after it. */
  close?(): void;
}
