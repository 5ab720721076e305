/**
 * The functions of `glia.tensor.v1` for one guest.
 *
 * TC1. Everything a guest gives is checked: pointers by the engine, handles by the table, the rest by the operations themselves. What they
 *      refuse becomes an error code, and the sentence is kept for `tensor_error`.
 * TC2. Work is counted in fuel before it is done: 1 for every 64 multiply-adds or elements. One call does at most `mostWork` of them.
 * TC3. A call that is made again after its guest's tensors were packed (GT1) charges nothing twice, so fuel does not depend on gaps.
 */

import { isGliaError } from "@glia-os/abi/errors";
import type { GuestAccess, HostCall } from "@glia-os/abi/ports";
import { GUEST_ERRORS, type TensorFunction } from "@glia-os/abi/wire";
import { BYTES, DTYPES, type DType } from "../dtype.ts";
import { TooLargeError } from "../errors.ts";
import { sizeOfShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { canonicalNaN } from "./canonical.ts";
import { GUEST_BINARY, GUEST_REDUCE, GUEST_UNARY } from "./functions.ts";
import type { GuestTensor, GuestTensors } from "./guest-tensors.ts";
import { bytesOf } from "./record.ts";

/** A result that is an error code. */
class Refusal {
  readonly code: number;
  constructor(code: number) {
    this.code = code;
  }
}

const UNITS_PER_FUEL = 64;

/** The least i32: stands for "all axes". */
export const ALL_AXES: number = -(2 ** 31);

const CODES: Readonly<Record<string, number>> = {
  "tensor.quota-exceeded": GUEST_ERRORS.E_LIMIT,
  "tensor.too-large": GUEST_ERRORS.E_TOO_BIG,
};

/** See the top of this file. */
export class TensorCalls {
  readonly #access: GuestAccess<GuestTensor>;
  readonly #tensors: GuestTensors;
  readonly #mostWork: number;
  /** Views this call asked for, in order, and how many of them its present attempt has (TC3). */
  #views: (Uint8Array | undefined)[] = [];
  #viewed = 0;
  #attempt = 0;
  /** The sentence of the last refusal. */
  failure: string;

  constructor(access: GuestAccess<GuestTensor>, tensors: GuestTensors, mostWork: number, failure: string) {
    this.#access = access;
    this.#tensors = tensors;
    this.#mostWork = mostWork;
    this.failure = failure;
  }

  /** The implementations by name. */
  functions(): Readonly<Record<TensorFunction, HostCall>> {
    return {
      ...this.#making(),
      ...this.#accessing(),
      ...this.#computing(),
      ...this.#reducing(),
      tensor_supports_sve2: () => 0,
      tensor_supports_neon: () => 0,
      tensor_supports_avx2: () => 0,
    };
  }

  #making() {
    const filled = (value: number) => (dtype: number, at: number, rank: number) =>
      this.#answer(() => this.#full(dtype, at, rank, value));
    return {
      tensor_zeros: filled(0),
      tensor_ones: filled(1),
      tensor_full: (dtype: number, at: number, rank: number, value: number) =>
        this.#answer(() => this.#full(dtype, at, rank, value)),
      tensor_from: (dtype: number, at: number, rank: number, data: number, bytes: number) =>
        this.#answer(() => {
          const shape = this.#shapeAt(at, rank);
          const source = this.#reads(data, bytes);
          if (source.length !== sizeOfShape("tensor_from", shape) * BYTES[this.#dtype(dtype)])
            throw this.#refuse(
              GUEST_ERRORS.E_RANGE,
              `${bytes} bytes do not fill the shape [${shape.join(", ")}]`,
            );
          const made = this.#full(dtype, at, rank, 0);
          put(made, source);
          return made;
        }),
      tensor_cast: (a: number, dtype: number, out: number) =>
        this.#on(out, [a], ([x], to) => this.#sized(x, () => x.cast(this.#dtype(dtype), to))),
      tensor_reshape: (a: number, at: number, rank: number) =>
        this.#on(0, [a], ([x]) =>
          this.#sized(x, () => x.space.scope(() => x.reshape(this.#shapeAt(at, rank)).copy())),
        ),
      tensor_transpose: (a: number) =>
        this.#on(0, [a], ([x]) => this.#sized(x, () => x.space.scope(() => x.transpose().copy()))),
    };
  }

  #accessing() {
    return {
      tensor_read: (handle: number, at: number, capacity: number) =>
        this.#answer(() => {
          const [tensor] = this.#all([handle]);
          const bytes = bytesOf(tensor);
          if (capacity >>> 0 < bytes.length) return GUEST_ERRORS.E_TOO_BIG;
          const target = this.#writes(at, bytes.length);
          target.set(bytes);
          canonicalNaN(tensor.dtype, target);
          return bytes.length;
        }),
      tensor_write: (handle: number, at: number, length: number) =>
        this.#answer(() => {
          const [tensor] = this.#all([handle]);
          const source = this.#reads(at, length);
          if (source.length !== bytesOf(tensor).length)
            throw this.#refuse(
              GUEST_ERRORS.E_RANGE,
              `${length} bytes do not fill a tensor of ${bytesOf(tensor).length}`,
            );
          put(tensor, source);
          return 0;
        }),
      tensor_get_shape: (handle: number, at: number, capacity: number) =>
        this.#answer(() => {
          const [{ shape }] = this.#all([handle]);
          if (capacity >>> 0 < shape.length) return GUEST_ERRORS.E_TOO_BIG;
          const target = this.#writes(at, 4 * shape.length);
          const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
          for (const [axis, length] of shape.entries()) view.setUint32(4 * axis, length, true);
          return shape.length;
        }),
      tensor_get_dtype: (handle: number) => this.#answer(() => DTYPES.indexOf(this.#all([handle])[0].dtype)),
      tensor_free: (handle: number) => (this.#tensors.free(handle) ? 0 : GUEST_ERRORS.E_HANDLE),
      tensor_error: (at: number, capacity: number) =>
        this.#answer(() => {
          const bytes = new TextEncoder().encode(this.failure).subarray(0, capacity >>> 0);
          this.#writes(at, bytes.length).set(bytes);
          return bytes.length;
        }),
    };
  }

  #computing() {
    return {
      tensor_add: (a: number, b: number) =>
        this.#on(0, [a, b], ([x, y]) => this.#paired([x, y], () => x.add(y))),
      tensor_unary: (operation: number, a: number, out: number) =>
        this.#on(out, [a], ([x], to) => this.#sized(x, () => x[this.#named(GUEST_UNARY, operation)](to))),
      tensor_binary: (operation: number, a: number, b: number, out: number) =>
        this.#on(out, [a, b], ([x, y], to) =>
          this.#paired([x, y], () => x[this.#named(GUEST_BINARY, operation)](y, to)),
        ),
      tensor_with_number: (operation: number, a: number, value: number, out: number) =>
        this.#on(out, [a], ([x], to) =>
          this.#sized(x, () => x[this.#named(GUEST_BINARY, operation)](value, to)),
        ),
      tensor_add_scaled: (y: number, x: number, alpha: number) =>
        this.#answer(() => {
          const [to, from] = this.#all([y, x]);
          this.#work(to.size);
          to.addScaled(from, alpha);
          return 0;
        }),
      tensor_select: (condition: number, a: number, b: number, out: number) =>
        this.#on(out, [condition, a, b], ([c, x, y], to) =>
          this.#paired([c, x, y], () => c.select(x, y, to)),
        ),
      tensor_dot: (a: number, b: number, at: number) =>
        this.#answer(() => {
          const [x, y] = this.#all([a, b]);
          const target = this.#writes(at, 8);
          this.#work(x.size);
          x.space.scope(() => {
            const value = x.dot(y).item();
            new DataView(target.buffer, target.byteOffset, 8).setFloat64(0, value, true);
          });
          canonicalNaN("f64", target);
          return 0;
        }),
      tensor_matmul: (a: number, b: number) =>
        this.#on(0, [a, b], ([x, y]) => this.#product(x, y, 0, undefined)),
      tensor_matmul_into: (a: number, b: number, flags: number, out: number) =>
        this.#on(out, [a, b], ([x, y], to) => this.#product(x, y, flags, to)),
      tensor_cosine: (a: number, b: number, out: number) =>
        this.#on(out, [a, b], ([x, y], to) => this.#sized(x, () => x.cosineSimilarity(y, to))),
    };
  }

  #reducing() {
    return {
      tensor_reduce: (operation: number, a: number, axis: number, out: number) =>
        this.#on(out, [a], ([x], to) =>
          this.#sized(x, () =>
            x[this.#named(GUEST_REDUCE, operation)](axis === ALL_AXES ? {} : { axis }, to),
          ),
        ),
      tensor_softmax: (a: number, axis: number, out: number) =>
        this.#on(out, [a], ([x], to) => this.#sized(x, () => x.softmax(axis, to))),
      tensor_top_k: (a: number, k: number, at: number) =>
        this.#answer(() => {
          const [x] = this.#all([a]);
          this.#writes(at, 8);
          this.#work(x.size);
          const { values, indices } = x.topK(k);
          const first = this.#tensors.give(values);
          const second = first < 0 ? first : this.#tensors.give(indices);
          if (first < 0) indices.free();
          else if (second < 0) this.#tensors.free(first);
          if (second < 0) return second;
          const target = this.#writes(at, 8);
          const view = new DataView(target.buffer, target.byteOffset, 8);
          view.setInt32(0, first, true);
          view.setInt32(4, second, true);
          return 0;
        }),
    };
  }

  #full(dtype: number, at: number, rank: number, value: number): Tensor {
    const shape = this.#shapeAt(at, rank);
    this.#work(sizeOfShape("tensor_full", shape));
    return Tensor.full(shape, value, { dtype: this.#dtype(dtype), space: this.#tensors.space });
  }

  /** Bit 0 of flags transposes the first operand, bit 1 the second. */
  #product(x: Tensor, y: Tensor, flags: number, to: Tensor | undefined): Tensor {
    const multiply = (): Tensor => {
      const left = (flags & 1) === 0 ? x : x.transpose();
      const right = (flags & 2) === 0 ? y : y.transpose();
      const columns = right.rank === 1 ? 1 : (right.shape.at(-1) ?? 1);
      this.#work(left.size * columns * batchesOver(left, right));
      return left.matmul(right, to);
    };
    const made = x.space.scope(multiply);
    return made;
  }

  /** Run an operation on tensors; its result goes to `out`, or becomes a new handle when that is 0. */
  #on<const Handles extends readonly number[]>(
    out: number,
    handles: Handles,
    operate: (tensors: { [Index in keyof Handles]: Tensor }, to: Tensor | undefined) => Tensor,
  ): number {
    return this.#answer(() => {
      const to = out === 0 ? undefined : this.#all([out])[0];
      const made = operate(this.#all(handles), to);
      return to === undefined ? made : 0;
    });
  }

  /** The result of a call: a code, or a handle of the tensor that was made; refusals become codes (TC1). */
  #answer(act: () => number | Tensor): number {
    this.#views = [];
    this.#attempt = 0;
    try {
      const result = this.#tensors.withRoom(() => {
        this.#attempt += 1;
        this.#viewed = 0;
        return act();
      });
      return typeof result === "number" ? result : this.#tensors.give(result);
    } catch (error) {
      if (error instanceof Refusal) return error.code;
      if (!isGliaError(error) || !error.code.startsWith("tensor.")) throw error;
      this.failure = error.message.slice(0, 1024);
      return CODES[error.code] ?? GUEST_ERRORS.E_RANGE;
    }
  }

  #all<const Handles extends readonly number[]>(handles: Handles): { [Index in keyof Handles]: Tensor } {
    const tensors = handles.map((handle) => this.#tensors.get(handle));
    const wrong = tensors.indexOf(undefined);
    if (wrong >= 0) throw this.#refuse(GUEST_ERRORS.E_HANDLE, `${handles[wrong]} is no tensor of this guest`);
    return tensors as { [Index in keyof Handles]: Tensor };
  }

  #dtype(code: number): DType {
    const dtype = DTYPES[code];
    if (dtype === undefined) throw this.#refuse(GUEST_ERRORS.E_RANGE, `${code} is no dtype`);
    return dtype;
  }

  #named<Name>(names: readonly Name[], operation: number): Name {
    const name = names[operation];
    if (name === undefined) throw this.#refuse(GUEST_ERRORS.E_RANGE, `${operation} is no operation`);
    return name;
  }

  #shapeAt(at: number, rank: number): number[] {
    if (rank < 0 || rank > 8)
      throw this.#refuse(GUEST_ERRORS.E_RANGE, `${rank} dimensions; at most 8 are possible`);
    const bytes = this.#reads(at, 4 * rank);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: rank }, (_, axis) => view.getUint32(4 * axis, true));
  }

  #sized<T>(x: Tensor, act: () => T): T {
    this.#work(x.size);
    return act();
  }

  #paired<T>(operands: readonly Tensor[], act: () => T): T {
    this.#work(broadcastSize(operands));
    return act();
  }

  #work(units: number): void {
    if (units > this.#mostWork)
      throw new TooLargeError(
        "this call",
        `${units} multiply-adds or elements; one call does at most ${this.#mostWork}`,
      );
    if (this.#attempt === 1) this.#access.charge(Math.ceil(units / UNITS_PER_FUEL));
  }

  #reads(at: number, length: number): Uint8Array {
    return this.#view(() => this.#access.memory.reads(at, length));
  }

  #writes(at: number, length: number): Uint8Array {
    return this.#view(() => this.#access.memory.writes(at, length));
  }

  /** A view of the guest's memory, which costs fuel once: an attempt asks for the same ones as the one before it. */
  #view(look: () => Uint8Array | undefined): Uint8Array {
    if (this.#viewed === this.#views.length) this.#views.push(look());
    const view = this.#views[this.#viewed++];
    if (view === undefined)
      throw this.#refuse(GUEST_ERRORS.E_FAULT, "a range lies outside the guest's memory");
    return view;
  }

  #refuse(code: number, why: string): Refusal {
    this.failure = why;
    return new Refusal(code);
  }
}

/** Elements of the broadcast of some shapes: each dimension the greatest. */
function broadcastSize(operands: readonly Tensor[]): number {
  const rank = Math.max(...operands.map((one) => one.rank));
  let size = 1;
  for (let back = 1; back <= rank; back++)
    size *= Math.max(...operands.map(({ shape }) => shape.at(-back) ?? 1));
  return size;
}

/** How often broadcasting repeats the first operand. */
function batchesOver(left: Tensor, right: Tensor): number {
  let times = 1;
  for (let back = 3; back <= right.rank; back++)
    if ((left.shape.at(-back) ?? 1) === 1) times *= right.shape.at(-back) as number;
  return times;
}

/** Take over a guest's bytes: NaN becomes canonical, bool 0 or 1. */
function put(tensor: Tensor, source: Uint8Array): void {
  const target = bytesOf(tensor);
  target.set(source);
  canonicalNaN(tensor.dtype, target);
  if (tensor.dtype === "bool")
    for (const [index, value] of target.entries()) if (value > 1) target[index] = 1;
}
