/**
 * Tensors: shapes and broadcasting as NumPy has them, over the memory of a space (docs/spec/tensor.md).
 *
 * TE1. An operation checks everything before it writes or takes memory for its result.
 * TE2. Every operation that gives a tensor takes an out-parameter as its last argument; a loop that uses them takes no memory.
 * TE3. `free` or `using` ends a handle. What was forgotten comes back when the engine collects it, in no stated time.
 */
import { openBackend } from "./dispatch/choose.ts";
import { type ArrayOf, BYTES, DTYPES, type DType } from "./dtype.ts";
import { BadLayoutError, BadOptionError, BadShapeError, WrongDTypeError } from "./errors.ts";
import { Handle } from "./handle.ts";
import { Space } from "./memory/space.ts";
import { flatten, type Nested, nest, type Scalar, shapeOfNested } from "./nested.ts";
import { type ConvolutionOptions, conv1d, conv2d } from "./ops/convolution.ts";
import { addScaled, cast, copy, fill, select } from "./ops/copies.ts";
import { binary, unary } from "./ops/elementwise.ts";
import { dot, matmul } from "./ops/matmul.ts";
import { type Over, reduce, variance } from "./ops/reduce.ts";
import {
  type Greatest,
  type GreatestOut,
  layerNorm,
  type NormOptions,
  rmsNorm,
  softmax,
  topK,
} from "./ops/rows.ts";
import { cosineSimilarity } from "./ops/similarity.ts";
import { broadcastTo, type Part, reshape, slice, squeeze, transpose, unsqueeze } from "./ops/views.ts";
import { bytesOf, sizeOfShape, stridesOf } from "./shape.ts";

/** How tensors are made. */
export interface TensorOptions {
  /** Default `f32`. */
  readonly dtype?: DType;
  /** Where. Default: one space that the whole program shares. */
  readonly space?: Space;
}

/** Typed arrays that hold elements. */
export type ElementArray = ArrayOf[DType];

let shared: Space | undefined;

/** The space tensors are made in when none is named, on the fastest backend of this machine. Made when it is first needed. */
export function defaultSpace(): Space {
  shared ??= new Space({ backend: openBackend() });
  return shared;
}

/** See the top of this file. */
export class Tensor extends Handle {
  /** A tensor of a shape whose elements are 0 (or false). */
  static zeros(shape: readonly number[], options?: TensorOptions): Tensor {
    return Tensor.full(shape, 0, options);
  }

  /** A tensor of a shape whose elements are 1 (or true). */
  static ones(shape: readonly number[], options?: TensorOptions): Tensor {
    return Tensor.full(shape, 1, options);
  }

  /** A tensor of a shape whose elements are `value`, rounded or wrapped to the dtype. */
  static full(shape: readonly number[], value: Scalar, options?: TensorOptions): Tensor {
    return fill(Tensor.#made("full", shape, options), Number(value));
  }

  /** first, first + step, and so on, below `end` (above it when step is negative); with one number, 0 up to it. */
  static arange(start: number, end?: number, step = 1, options?: TensorOptions): Tensor {
    const [first, last] = end === undefined ? [0, start] : [start, end];
    const count = Math.max(0, Math.ceil((last - first) / step));
    if (!Number.isFinite(count))
      throw new BadOptionError("arange", "step", step, "other than 0, between finite ends");
    const made = Tensor.#made("arange", [count], options);
    const { data } = made;
    for (let i = 0; i < count; i++) data[i] = first + i * step;
    return made;
  }

  /**
   * A tensor with the values of nested arrays, a typed array or another tensor (also of another space), copied. A typed array keeps its dtype
   * unless one is named, and is one-dimensional unless `shape` is.
   */
  static from(
    values: Nested | ElementArray | Tensor,
    options: TensorOptions & { readonly shape?: readonly number[] } = {},
  ): Tensor {
    if (values instanceof Handle) return Tensor.#copied(values, options);
    const dtype = options.dtype ?? dtypeOf(values);
    if (ArrayBuffer.isView(values)) return Tensor.#ofArray(values, { ...options, dtype });
    const shape = shapeOfNested(values);
    const made = Tensor.#filledBy(sizeOfShape("from", shape), {
      ...options,
      dtype,
      shape: options.shape ?? shape,
    });
    try {
      flatten(values, shape, writerOf(made));
      return made;
    } catch (error) {
      made.free();
      throw error;
    }
  }

  /**
   * A tensor over elements that lie in the space's memory already, without a copy: what `data` of another tensor showed, or part of it. It keeps that
   * memory. @throws BadLayoutError when they lie elsewhere, or in no tensor of the space
   */
  static over(owner: Tensor, elements: ElementArray, shape: readonly number[] = [elements.length]): Tensor {
    const dtype = elements.constructor === owner.data.constructor ? owner.dtype : dtypeOf(elements);
    const { block } = owner;
    const inside =
      elements.buffer === owner.space.backend.memory.buffer &&
      elements.byteOffset >= block.offset &&
      elements.byteOffset + elements.byteLength <= block.offset + block.bytes;
    if (!inside)
      throw new BadLayoutError("over", "these elements do not lie in the tensor's memory as it is now");
    if (sizeOfShape("over", shape) !== elements.length)
      throw new BadShapeError("over", `${elements.length} elements do not fill the shape`);
    const layout = {
      shape: [...shape],
      strides: stridesOf(shape),
      offset: elements.byteOffset - block.offset,
    };
    return new Tensor(owner.space, dtype, block.hold(), layout);
  }

  static #made(
    operation: string,
    shape: readonly number[],
    { dtype = "f32", space = defaultSpace() }: TensorOptions = {},
  ): Tensor {
    if (!DTYPES.includes(dtype)) throw new WrongDTypeError(operation, String(dtype), DTYPES);
    const bytes = bytesOf(operation, dtype, sizeOfShape(operation, shape));
    return new Tensor(space, dtype, space.take(bytes), {
      shape: [...shape],
      strides: stridesOf(shape),
      offset: 0,
    });
  }

  static #filledBy(
    count: number,
    { shape, ...options }: TensorOptions & { readonly shape: readonly number[] },
  ): Tensor {
    if (sizeOfShape("from", shape) !== count)
      throw new BadShapeError("from", `${count} values do not fill the shape [${shape.join(", ")}]`);
    return Tensor.#made("from", shape, options);
  }

  static #ofArray(
    values: ElementArray,
    options: TensorOptions & { readonly dtype: DType; readonly shape?: readonly number[] },
  ): Tensor {
    const { space = defaultSpace() } = options;
    // Taking memory may move what lies in the space's.
    const kept = values.buffer === space.backend.memory.buffer ? values.slice() : values;
    const made = Tensor.#filledBy(values.length, {
      ...options,
      space,
      shape: options.shape ?? [values.length],
    });
    if (made.dtype === "bool") kept.forEach(writerOf(made));
    else made.data.set(kept as never);
    return made;
  }

  static #copied(
    source: Tensor,
    {
      dtype = source.dtype,
      space = defaultSpace(),
      shape,
    }: TensorOptions & { readonly shape?: readonly number[] },
  ): Tensor {
    const flat = source.contiguous ? source : copy(source);
    try {
      const made = Tensor.#made("from", source.shape, { dtype: source.dtype, space });
      // The bytes of the source are looked at after memory was taken: taking may move them.
      (made.data as Uint8Array).set(flat.data as Uint8Array);
      const wanted = dtype === source.dtype ? made : cast(made, dtype);
      if (wanted !== made) made.free();
      if (shape === undefined) return wanted;
      const shaped = reshape(wanted, shape);
      wanted.free();
      return shaped;
    } finally {
      if (flat !== source) flat.free();
    }
  }

  /** The elements as nested arrays. */
  toArray(): Nested {
    const flat = this.contiguous ? this : copy(this);
    try {
      return nest(flat.data, this.shape, this.dtype === "bool");
    } finally {
      if (flat !== this) flat.free();
    }
  }

  /** The elements in row-major order as a typed array of their own. */
  toTypedArray(): ElementArray {
    const flat = this.contiguous ? this : copy(this);
    try {
      return flat.data.slice();
    } finally {
      if (flat !== this) flat.free();
    }
  }

  /** The only element. @throws BadShapeError when there is not exactly one */
  item(): number {
    if (this.size !== 1)
      throw new BadShapeError("item", `a tensor of ${this.size} elements has no single one`);
    const memory = this.space.backend.memory;
    return memory[this.dtype === "bool" ? "u8" : this.dtype][this.at / BYTES[this.dtype]] as number;
  }

  /** The elements in row-major order in new memory. */
  copy(out?: Tensor): Tensor {
    return copy<Tensor>(this, out);
  }

  /** The elements in another dtype. */
  cast(dtype: DType, out?: Tensor): Tensor {
    return cast<Tensor>(this, dtype, out);
  }

  /** Every element becomes `value`. */
  fill(value: Scalar): this {
    return fill(this, Number(value));
  }

  /** The same elements under another shape; one length may be -1. A view where strides allow, else a copy. */
  reshape(shape: readonly number[]): Tensor {
    return reshape<Tensor>(this, shape);
  }

  /** A view with the axes in another order, reversed when none is given. */
  transpose(order?: readonly number[]): Tensor {
    return transpose<Tensor>(this, order);
  }

  /** A view of a part: for each axis a place (removes the axis), a range, or undefined for all. */
  slice(...parts: readonly Part[]): Tensor {
    return slice<Tensor>(this, parts);
  }

  /** A view repeated to a shape. */
  broadcastTo(shape: readonly number[]): Tensor {
    return broadcastTo<Tensor>(this, shape);
  }

  /** A view with a new axis of size 1. */
  unsqueeze(axis: number): Tensor {
    return unsqueeze<Tensor>(this, axis);
  }

  /** A view without axes of size 1: those named, or all. */
  squeeze(axes?: number | readonly number[]): Tensor {
    return squeeze<Tensor>(this, axes);
  }

  /** The sum of each pair of elements. */
  add(b: Tensor | number, out?: Tensor): Tensor {
    return binary<Tensor>("add", this.space.backend.kernels.add, this, b, out);
  }

  /** The difference of each pair of elements. */
  sub(b: Tensor | number, out?: Tensor): Tensor {
    return binary<Tensor>("sub", this.space.backend.kernels.sub, this, b, out);
  }

  /** The product of each pair of elements. */
  mul(b: Tensor | number, out?: Tensor): Tensor {
    return binary<Tensor>("mul", this.space.backend.kernels.mul, this, b, out);
  }

  /** The quotient of each pair of elements; floats only. */
  div(b: Tensor | number, out?: Tensor): Tensor {
    return binary<Tensor>("div", this.space.backend.kernels.div, this, b, out);
  }

  /** The lesser of each pair of elements. */
  minimum(b: Tensor | number, out?: Tensor): Tensor {
    return binary<Tensor>("minimum", this.space.backend.kernels.min, this, b, out);
  }

  /** The greater of each pair of elements. */
  maximum(b: Tensor | number, out?: Tensor): Tensor {
    return binary<Tensor>("maximum", this.space.backend.kernels.max, this, b, out);
  }

  /** Where two elements are equal, as bool. */
  equal(b: Tensor | number, out?: Tensor): Tensor {
    return binary<Tensor>("equal", this.space.backend.kernels.equal, this, b, out, "bool");
  }

  /** Where the first is less, as bool. */
  less(b: Tensor | number, out?: Tensor): Tensor {
    return binary<Tensor>("less", this.space.backend.kernels.less, this, b, out, "bool");
  }

  /** Where the first is less or equal, as bool. */
  lessEqual(b: Tensor | number, out?: Tensor): Tensor {
    return binary<Tensor>("lessEqual", this.space.backend.kernels.lessEqual, this, b, out, "bool");
  }

  /** Elements of `a` where this (bool) is true, of `b` elsewhere. */
  select(a: Tensor, b: Tensor, out?: Tensor): Tensor {
    return select<Tensor>(this, a, b, out);
  }

  /** this += alpha x, in place. */
  addScaled(x: Tensor, alpha: number): this {
    addScaled<Tensor>(this, x, alpha);
    return this;
  }

  /** The negative of every element. */
  neg(out?: Tensor): Tensor {
    return unary<Tensor>("neg", this.space.backend.kernels.neg, this, out);
  }

  /** The magnitude of every element. */
  abs(out?: Tensor): Tensor {
    return unary<Tensor>("abs", this.space.backend.kernels.abs, this, out);
  }

  /** The square root of every element. */
  sqrt(out?: Tensor): Tensor {
    return unary<Tensor>("sqrt", this.space.backend.kernels.sqrt, this, out);
  }

  /** e to the power of every element. */
  exp(out?: Tensor): Tensor {
    return unary<Tensor>("exp", this.space.backend.kernels.exp, this, out);
  }

  /** The natural logarithm of every element. */
  log(out?: Tensor): Tensor {
    return unary<Tensor>("log", this.space.backend.kernels.log, this, out);
  }

  /** The hyperbolic tangent of every element. */
  tanh(out?: Tensor): Tensor {
    return unary<Tensor>("tanh", this.space.backend.kernels.tanh, this, out);
  }

  /** 1 / (1 + exp(-x)) of every element. */
  sigmoid(out?: Tensor): Tensor {
    return unary<Tensor>("sigmoid", this.space.backend.kernels.sigmoid, this, out);
  }

  /** The greater of every element and 0. */
  relu(out?: Tensor): Tensor {
    return unary<Tensor>("relu", this.space.backend.kernels.relu, this, out);
  }

  /** The Gaussian error linear unit, in its tanh form, of every element. */
  gelu(out?: Tensor): Tensor {
    return unary<Tensor>("gelu", this.space.backend.kernels.gelu, this, out);
  }

  /** x sigmoid(x) of every element. */
  silu(out?: Tensor): Tensor {
    return unary<Tensor>("silu", this.space.backend.kernels.silu, this, out);
  }

  /** The sum over axes; of integers and bool as i32, modulo 2^32. */
  sum(over?: Over, out?: Tensor): Tensor {
    const dtype = this.dtype === "f32" || this.dtype === "f64" ? this.dtype : "i32";
    return reduce<Tensor>({ name: "sum", dtype }, this.space.backend.kernels.sum, this, over, out);
  }

  /** The mean over axes. */
  mean(over?: Over, out?: Tensor): Tensor {
    return reduce<Tensor>({ name: "mean", least: 1 }, this.space.backend.kernels.mean, this, over, out);
  }

  /** The variance over axes: of a population, or with `ddof` 1 estimated from a sample. */
  variance(over?: Over & { readonly ddof?: number }, out?: Tensor): Tensor {
    return variance<Tensor>(this, over, out);
  }

  /** The root of the sum of squares over axes. */
  norm(over?: Over, out?: Tensor): Tensor {
    return reduce<Tensor>({ name: "norm", least: 1 }, this.space.backend.kernels.norm, this, over, out);
  }

  /** The least element over axes. */
  min(over?: Over, out?: Tensor): Tensor {
    return reduce<Tensor>({ name: "min", least: 1 }, this.space.backend.kernels.reduceMin, this, over, out);
  }

  /** The greatest element over axes. */
  max(over?: Over, out?: Tensor): Tensor {
    return reduce<Tensor>({ name: "max", least: 1 }, this.space.backend.kernels.reduceMax, this, over, out);
  }

  /** The first place of the least element over axes, as i32 in row-major order of these axes. */
  argmin(over?: Over, out?: Tensor): Tensor {
    return reduce<Tensor>(
      { name: "argmin", dtype: "i32", least: 1 },
      this.space.backend.kernels.argmin,
      this,
      over,
      out,
    );
  }

  /** The first place of the greatest element over axes, as i32 in row-major order of these axes. */
  argmax(over?: Over, out?: Tensor): Tensor {
    return reduce<Tensor>(
      { name: "argmax", dtype: "i32", least: 1 },
      this.space.backend.kernels.argmax,
      this,
      over,
      out,
    );
  }

  /** The sum of products of two vectors. */
  dot(b: Tensor, out?: Tensor): Tensor {
    return dot<Tensor>(this, b, out);
  }

  /** The matrix product, as `numpy.matmul`: vectors, matrices and batches of them. */
  matmul(b: Tensor, out?: Tensor): Tensor {
    return matmul<Tensor>(this, b, out);
  }

  /** exp(x - max) over its sum along one axis, by default the last. */
  softmax(axis?: number, out?: Tensor): Tensor {
    return softmax<Tensor>(this, axis, out);
  }

  /** Rows of mean 0 and variance 1 along the last axis, times a gain, plus a shift. */
  layerNorm(options?: NormOptions<Tensor>, out?: Tensor): Tensor {
    return layerNorm<Tensor>(this, options, out);
  }

  /** Rows over the root of their mean square along the last axis, times a gain. */
  rmsNorm(options?: NormOptions<Tensor>, out?: Tensor): Tensor {
    return rmsNorm<Tensor>(this, options, out);
  }

  /** The cosine of the angle between each row and a vector. */
  cosineSimilarity(b: Tensor, out?: Tensor): Tensor {
    return cosineSimilarity<Tensor>(this, b, out);
  }

  /** The k greatest along the last axis, greatest first. */
  topK(k: number, out?: GreatestOut<Tensor>): Greatest<Tensor> {
    return topK<Tensor>(this, k, out);
  }

  /** Convolution of signals [n, channels, length] with filters [f, channels, k]. */
  conv1d(filters: Tensor, options?: ConvolutionOptions<Tensor>, out?: Tensor): Tensor {
    return conv1d<Tensor>(this, filters, options, out);
  }

  /** Convolution of images [n, channels, height, width] with filters [f, channels, kh, kw]. */
  conv2d(filters: Tensor, options?: ConvolutionOptions<Tensor>, out?: Tensor): Tensor {
    return conv2d<Tensor>(this, filters, options, out);
  }
}

function dtypeOf(values: Nested | ElementArray): DType {
  if (values instanceof Float64Array) return "f64";
  if (values instanceof Int32Array) return "i32";
  if (values instanceof Int8Array) return "i8";
  if (values instanceof Uint8Array) return "u8";
  if (ArrayBuffer.isView(values) && !(values instanceof Float32Array))
    throw new WrongDTypeError("from", (values as object).constructor.name, [
      "Float32Array",
      "Float64Array",
      "Int32Array",
      "Int8Array",
      "Uint8Array",
    ]);
  let first: Nested | undefined = values as Nested;
  while (Array.isArray(first)) first = first[0];
  return typeof first === "boolean" ? "bool" : "f32";
}

/** Writes values to a tensor by their index. */
function writerOf(tensor: Tensor): (value: number, index: number) => void {
  const { data } = tensor;
  return tensor.dtype === "bool"
    ? (value, index) => (data[index] = value === 0 ? 0 : 1)
    : (value, index) => (data[index] = value);
}
