/**
 * Programs outside of this package that multiply matrices, each found when it is installed.
 *
 * AD1. An adapter is asked for one product at a time. What it is given are ways to show operands and result, not views: the memory of a space
 *      may grow while a promise is open, and views end then.
 * AD2. Its products keep the bound of docs/spec/tensor.md (N7). What it does not take is computed by the kernels of the space.
 */

/** A product of matrices: m x k by k x n, contiguous in row-major order. */
export interface ProductSize {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Operands and result of a product of f32, shown anew at each call (AD1). */
export interface ProductMemory {
  readonly a: () => Float32Array;
  readonly b: () => Float32Array;
  readonly out: () => Float32Array;
}

/** Another program that multiplies. */
export interface ProductAdapter {
  /** Which program: `onnxruntime`, `webgpu`. */
  readonly name: string;
  /** What computes, for people. */
  readonly device: string;
  /** Whether it can take a product of this size. */
  takes(size: ProductSize): boolean;
  /** One product into `memory.out`. @throws {AdapterFailedError} */
  multiply(size: ProductSize, memory: ProductMemory): Promise<void>;
  /** Let go of what it holds. Idempotent. */
  close(): Promise<void>;
}
