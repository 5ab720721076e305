/**
 * Tensors of a guest, which live with its host in the fixed backend and travel with it: import module `glia.tensor.v1`.
 *
 * A refused call throws (traps) with nothing changed; `tensorError()` of the log says why. Give back what is not needed with `free`:
 * handles are not collected. Operations write to `out` where one is given, and make a tensor elsewhere.
 */
import { log } from "./host";
import * as host from "./tensor-host";

/** Dtypes. */
export const F32: i32 = 0;
export const F64: i32 = 1;
export const I32: i32 = 2;
export const I8: i32 = 3;
export const U8: i32 = 4;
export const BOOL: i32 = 5;

/** Reduce over all axes. */
export const ALL: i32 = i32.MIN_VALUE;

/** For `matmul`: take the first or the second operand transposed. */
export const TRANSPOSE_FIRST: i32 = 1;
export const TRANSPOSE_SECOND: i32 = 2;

/** What the host said about the last call it refused. */
export function tensorError(): string {
  const bytes = new Uint8Array(1024);
  const length = host.error(bytes.dataStart, 1024);
  return String.UTF8.decodeUnsafe(bytes.dataStart, <usize>max(length, 0));
}

function checked(result: i32): i32 {
  if (result < 0) {
    const text = String.UTF8.encode("tensor: " + tensorError());
    log(4, changetype<usize>(text), text.byteLength);
    throw new Error("tensor");
  }
  return result;
}

function at(out: Tensor | null): i32 {
  return out === null ? 0 : out.handle;
}

function result(out: Tensor | null, code: i32): Tensor {
  checked(code);
  return out === null ? new Tensor(code) : out;
}

/** The k greatest of each row. */
export class Greatest {
  constructor(
    public values: Tensor,
    public indices: Tensor,
  ) {}
}

/** A tensor of this guest. */
export class Tensor {
  constructor(
    /** What the host knows it by. */
    public handle: i32,
  ) {}

  static zeros(shape: i32[], dtype: i32 = F32): Tensor {
    return Tensor.full(shape, 0, dtype);
  }

  static ones(shape: i32[], dtype: i32 = F32): Tensor {
    return Tensor.full(shape, 1, dtype);
  }

  static full(shape: i32[], value: f64, dtype: i32 = F32): Tensor {
    return new Tensor(checked(host.full(dtype, shape.dataStart, shape.length, value)));
  }

  /** The values of an array of f32. */
  static fromF32(values: StaticArray<f32>, shape: i32[]): Tensor {
    return new Tensor(
      checked(host.from(F32, shape.dataStart, shape.length, changetype<usize>(values), values.length << 2)),
    );
  }

  /** The elements as f32; of an f32 tensor. */
  readF32(): StaticArray<f32> {
    const values = new StaticArray<f32>(this.size);
    checked(host.read(this.handle, changetype<usize>(values), values.length << 2));
    return values;
  }

  /** The elements as i32; of an i32 tensor. */
  readI32(): StaticArray<i32> {
    const values = new StaticArray<i32>(this.size);
    checked(host.read(this.handle, changetype<usize>(values), values.length << 2));
    return values;
  }

  /** Replace the elements of an f32 tensor. */
  writeF32(values: StaticArray<f32>): void {
    checked(host.write(this.handle, changetype<usize>(values), values.length << 2));
  }

  get shape(): i32[] {
    const room = new StaticArray<i32>(8);
    const rank = checked(host.getShape(this.handle, changetype<usize>(room), 8));
    const shape = new Array<i32>(rank);
    for (let axis = 0; axis < rank; axis++) shape[axis] = room[axis];
    return shape;
  }

  get size(): i32 {
    const shape = this.shape;
    let size = 1;
    for (let axis = 0; axis < shape.length; axis++) size *= shape[axis];
    return size;
  }

  get dtype(): i32 {
    return checked(host.getDType(this.handle));
  }

  free(): void {
    checked(host.free(this.handle));
  }

  neg(out: Tensor | null = null): Tensor { return result(out, host.unary(0, this.handle, at(out))); }
  abs(out: Tensor | null = null): Tensor { return result(out, host.unary(1, this.handle, at(out))); }
  sqrt(out: Tensor | null = null): Tensor { return result(out, host.unary(2, this.handle, at(out))); }
  exp(out: Tensor | null = null): Tensor { return result(out, host.unary(3, this.handle, at(out))); }
  log(out: Tensor | null = null): Tensor { return result(out, host.unary(4, this.handle, at(out))); }
  tanh(out: Tensor | null = null): Tensor { return result(out, host.unary(5, this.handle, at(out))); }
  sigmoid(out: Tensor | null = null): Tensor { return result(out, host.unary(6, this.handle, at(out))); }
  relu(out: Tensor | null = null): Tensor { return result(out, host.unary(7, this.handle, at(out))); }
  gelu(out: Tensor | null = null): Tensor { return result(out, host.unary(8, this.handle, at(out))); }
  silu(out: Tensor | null = null): Tensor { return result(out, host.unary(9, this.handle, at(out))); }
  copy(out: Tensor | null = null): Tensor { return result(out, host.unary(10, this.handle, at(out))); }

  add(b: Tensor, out: Tensor | null = null): Tensor { return result(out, host.binary(0, this.handle, b.handle, at(out))); }
  sub(b: Tensor, out: Tensor | null = null): Tensor { return result(out, host.binary(1, this.handle, b.handle, at(out))); }
  mul(b: Tensor, out: Tensor | null = null): Tensor { return result(out, host.binary(2, this.handle, b.handle, at(out))); }
  div(b: Tensor, out: Tensor | null = null): Tensor { return result(out, host.binary(3, this.handle, b.handle, at(out))); }
  minimum(b: Tensor, out: Tensor | null = null): Tensor { return result(out, host.binary(4, this.handle, b.handle, at(out))); }
  maximum(b: Tensor, out: Tensor | null = null): Tensor { return result(out, host.binary(5, this.handle, b.handle, at(out))); }
  equal(b: Tensor, out: Tensor | null = null): Tensor { return result(out, host.binary(6, this.handle, b.handle, at(out))); }
  less(b: Tensor, out: Tensor | null = null): Tensor { return result(out, host.binary(7, this.handle, b.handle, at(out))); }

  addNumber(value: f64, out: Tensor | null = null): Tensor { return result(out, host.withNumber(0, this.handle, value, at(out))); }
  mulNumber(value: f64, out: Tensor | null = null): Tensor { return result(out, host.withNumber(2, this.handle, value, at(out))); }
  /** Where the elements are less than a number, as bool. */
  lessNumber(value: f64, out: Tensor | null = null): Tensor { return result(out, host.withNumber(7, this.handle, value, at(out))); }

  /** this += alpha x, in place. */
  addScaled(x: Tensor, alpha: f64): void {
    checked(host.addScaled(this.handle, x.handle, alpha));
  }

  /** Elements of `a` where this (bool) is true, of `b` elsewhere. */
  select(a: Tensor, b: Tensor, out: Tensor | null = null): Tensor {
    return result(out, host.select_(this.handle, a.handle, b.handle, at(out)));
  }

  sum(axis: i32 = ALL, out: Tensor | null = null): Tensor { return result(out, host.reduce(0, this.handle, axis, at(out))); }
  mean(axis: i32 = ALL, out: Tensor | null = null): Tensor { return result(out, host.reduce(1, this.handle, axis, at(out))); }
  min(axis: i32 = ALL, out: Tensor | null = null): Tensor { return result(out, host.reduce(2, this.handle, axis, at(out))); }
  max(axis: i32 = ALL, out: Tensor | null = null): Tensor { return result(out, host.reduce(3, this.handle, axis, at(out))); }
  argmin(axis: i32 = ALL, out: Tensor | null = null): Tensor { return result(out, host.reduce(4, this.handle, axis, at(out))); }
  argmax(axis: i32 = ALL, out: Tensor | null = null): Tensor { return result(out, host.reduce(5, this.handle, axis, at(out))); }
  norm(axis: i32 = ALL, out: Tensor | null = null): Tensor { return result(out, host.reduce(6, this.handle, axis, at(out))); }
  variance(axis: i32 = ALL, out: Tensor | null = null): Tensor { return result(out, host.reduce(7, this.handle, axis, at(out))); }

  softmax(axis: i32 = -1, out: Tensor | null = null): Tensor { return result(out, host.softmax(this.handle, axis, at(out))); }

  /** The sum of products of two vectors. */
  dot(b: Tensor): f64 {
    const cell = new StaticArray<f64>(1);
    checked(host.dot(this.handle, b.handle, changetype<usize>(cell)));
    return cell[0];
  }

  /** The matrix product; `flags` may transpose the operands. */
  matmul(b: Tensor, flags: i32 = 0, out: Tensor | null = null): Tensor {
    return result(out, host.matmulInto(this.handle, b.handle, flags, at(out)));
  }

  /** The cosine of the angle between each row and a vector. */
  cosine(b: Tensor, out: Tensor | null = null): Tensor {
    return result(out, host.cosine(this.handle, b.handle, at(out)));
  }

  /** The k greatest along the last axis, greatest first. */
  topK(k: i32): Greatest {
    const handles = new StaticArray<i32>(2);
    checked(host.topK(this.handle, k, changetype<usize>(handles)));
    return new Greatest(new Tensor(handles[0]), new Tensor(handles[1]));
  }

  cast(dtype: i32, out: Tensor | null = null): Tensor { return result(out, host.cast(this.handle, dtype, at(out))); }

  reshape(shape: i32[]): Tensor {
    return new Tensor(checked(host.reshape(this.handle, shape.dataStart, shape.length)));
  }

  /** A copy with the axes reversed. */
  transpose(): Tensor {
    return new Tensor(checked(host.transpose(this.handle)));
  }
}
