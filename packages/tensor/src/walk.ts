/**
 * The walk over elements of up to four operands of one shape in runs that kernels take: dimensions are merged where all operands allow.
 *
 * W1. It allocates nothing: one walk is used for every operation, which are synchronous and do not nest inside it.
 * W2. The order of elements is row-major order of the shape.
 */
import { BYTES } from "./dtype.ts";
import type { Handle } from "./handle.ts";
import { MOST_DIMENSIONS } from "./shape.ts";

const OPERANDS = 4;

class Walk {
  /** Elements of a run. */
  n = 0;
  /** Byte offsets of the run at hand, by operand. */
  readonly at: Float64Array = new Float64Array(OPERANDS);
  /** Strides within a run in elements, by operand. */
  readonly stride: Int32Array = new Int32Array(OPERANDS);
  readonly #lengths = new Int32Array(MOST_DIMENSIONS);
  readonly #counts = new Int32Array(MOST_DIMENSIONS);
  readonly #strides = new Int32Array(OPERANDS * MOST_DIMENSIONS);
  readonly #bytes = new Int32Array(OPERANDS);
  #rank = 0;
  #operands = 0;

  /** A walk over a shape. Operands follow, then `begin`. */
  over(shape: readonly number[]): this {
    this.#rank = shape.length;
    this.#operands = 0;
    for (let axis = 0; axis < shape.length; axis++) this.#lengths[axis] = shape[axis] as number;
    return this;
  }

  /** An operand whose shape broadcasts to the walk's. */
  operand(handle: Handle): this {
    return this.strided(handle.at, BYTES[handle.dtype], handle.shape, handle.strides);
  }

  /** An operand by its parts; missing leading dimensions and those of size 1 are repeated. */
  strided(at: number, bytes: number, shape: readonly number[], strides: readonly number[]): this {
    const index = this.#operands++;
    this.at[index] = at;
    this.#bytes[index] = bytes;
    const missing = this.#rank - shape.length;
    for (let axis = 0; axis < this.#rank; axis++) {
      const own = axis - missing;
      const repeated = own < 0 || shape[own] === 1;
      this.#strides[index * MOST_DIMENSIONS + axis] = repeated ? 0 : (strides[own] as number);
    }
    return this;
  }

  /** Merge dimensions; false when there is no element. Then use `n`, `at` and `stride`, and call `next` until it is false. */
  begin(): boolean {
    for (let axis = 0; axis < this.#rank; axis++) if (this.#lengths[axis] === 0) return false;
    this.#merge();
    const last = this.#rank - 1;
    this.n = last < 0 ? 1 : (this.#lengths[last] as number);
    for (let index = 0; index < this.#operands; index++)
      this.stride[index] = last < 0 ? 1 : (this.#strides[index * MOST_DIMENSIONS + last] as number);
    this.#counts.fill(0);
    return true;
  }

  /** Go to the next run. */
  next(): boolean {
    for (let axis = this.#rank - 2; axis >= 0; axis--) {
      const count = (this.#counts[axis] as number) + 1;
      const done = count === this.#lengths[axis];
      const steps = done ? 1 - count : 1;
      this.#counts[axis] = done ? 0 : count;
      for (let index = 0; index < this.#operands; index++)
        this.at[index] =
          (this.at[index] as number) +
          steps * (this.#strides[index * MOST_DIMENSIONS + axis] as number) * (this.#bytes[index] as number);
      if (!done) return true;
    }
    return false;
  }

  /** Drop dimensions of size 1 and join neighbours that every operand walks evenly. */
  #merge(): void {
    let kept = 0;
    for (let axis = 0; axis < this.#rank; axis++) {
      const length = this.#lengths[axis] as number;
      if (length === 1) continue;
      if (kept > 0 && this.#even(kept - 1, axis)) {
        this.#put(kept - 1, axis, (this.#lengths[kept - 1] as number) * length);
      } else {
        this.#put(kept++, axis, length);
      }
    }
    this.#rank = kept;
  }

  #even(outer: number, inner: number): boolean {
    const length = this.#lengths[inner] as number;
    for (let index = 0; index < this.#operands; index++) {
      const base = index * MOST_DIMENSIONS;
      if (this.#strides[base + outer] !== (this.#strides[base + inner] as number) * length) return false;
    }
    return true;
  }

  #put(to: number, from: number, length: number): void {
    this.#lengths[to] = length;
    for (let index = 0; index < this.#operands; index++) {
      const base = index * MOST_DIMENSIONS;
      this.#strides[base + to] = this.#strides[base + from] as number;
    }
  }
}

/** The one walk (W1). */
export const walk: Walk = new Walk();
