/**
 * A handle to elements in a space: shape, dtype, strides, offset. What every operation works on; `Tensor` adds the operations as methods.
 *
 * HD1. A freed handle refuses every use (`tensor.freed`); its views and what it was a view of stay good.
 * HD2. What a view can reach lies inside its block: views are only made by operations that check it.
 */
import { type ArrayOf, BYTES, type DType } from "./dtype.ts";
import { BadLayoutError, FreedError } from "./errors.ts";
import type { Block } from "./memory/block.ts";
import type { Space } from "./memory/space.ts";
import { bytesOf, isContiguous, sizeOfShape, stridesOf } from "./shape.ts";

/** Where the elements of a handle lie in its block. */
export interface Layout {
  readonly shape: readonly number[];
  /** In elements; may be 0 or negative. */
  readonly strides: readonly number[];
  /** Bytes from the start of the block to the first element. */
  readonly offset: number;
}

/** Views keep the memory they show, as long as the view object itself is kept. */
const shownBy = new WeakMap<object, Block>();

/** See the top of this file. */
export class Handle {
  readonly space: Space;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Number of elements. */
  readonly size: number;
  /** Whether elements lie one after the other in row-major order. */
  readonly contiguous: boolean;
  readonly #offset: number;
  #block: Block | undefined;

  /** For operations: a handle over a block that it now holds. Programs use `Tensor.from` and its kin. */
  constructor(space: Space, dtype: DType, block: Block, layout: Layout) {
    this.space = space;
    this.dtype = dtype;
    this.shape = layout.shape;
    this.strides = layout.strides;
    this.size = layout.shape.reduce((product, length) => product * length, 1);
    this.contiguous = isContiguous(layout.shape, layout.strides);
    this.#offset = block.offset + layout.offset;
    this.#block = block;
    space.note(this);
  }

  /** Number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }

  /** Whether `free` was called. */
  get freed(): boolean {
    return this.#block === undefined;
  }

  /** Byte offset of the first element in the space's memory. @throws FreedError */
  get at(): number {
    if (this.#block === undefined) throw new FreedError(this.dtype, this.shape);
    return this.#offset;
  }

  /** The memory behind the handle. @throws FreedError */
  get block(): Block {
    if (this.#block === undefined) throw new FreedError(this.dtype, this.shape);
    return this.#block;
  }

  /** End this handle. The memory goes back with the last handle on it. Once or more often. */
  free(): void {
    const block = this.#block;
    this.#block = undefined;
    block?.drop();
  }

  [Symbol.dispose](): void {
    this.free();
  }

  /**
   * The elements as a typed array over the space's memory, without a copy. Writes go to the tensor. Good until the space's memory grows,
   * which any new tensor may cause (its length is 0 then), or the tensor is freed; ask again where it is needed again.
   * @throws FreedError, BadLayoutError when the elements do not lie one after the other
   */
  get data(): ArrayOf[DType] {
    if (!this.contiguous)
      throw new BadLayoutError("data", "the elements of this view do not lie one after the other");
    const from = this.at;
    const memory = this.space.backend.memory;
    const view = memory[this.dtype === "bool" ? "u8" : this.dtype];
    const first = from / BYTES[this.dtype];
    const shown = view.subarray(first, first + this.size);
    shownBy.set(shown, this.block);
    return shown;
  }

  /** A new handle over new memory of this space; the elements are what was there. @throws TooLargeError, QuotaExceededError */
  fresh(operation: string, dtype: DType, shape: readonly number[]): this {
    const bytes = bytesOf(operation, dtype, sizeOfShape(operation, shape));
    const block = this.space.take(bytes);
    return this.over(dtype, block, { shape, strides: stridesOf(shape), offset: 0 });
  }

  /** A view: another handle over the same memory. @throws FreedError */
  view(shape: readonly number[], strides: readonly number[], offsetElements: number): this {
    const block = this.block;
    const offset = this.#offset - block.offset + offsetElements * BYTES[this.dtype];
    return this.over(this.dtype, block.hold(), { shape, strides, offset });
  }

  /** A handle of this class over a block. */
  protected over(dtype: DType, block: Block, layout: Layout): this {
    const Class = this.constructor as new (space: Space, dtype: DType, block: Block, layout: Layout) => this;
    return new Class(this.space, dtype, block, layout);
  }
}
