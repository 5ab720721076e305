/**
 * Large products by promise: another program makes them where there is one, the kernels of the space everywhere else.
 *
 * TQ1. Products are made one after the other, in the order they were asked for. Operands are read when their turn comes; freeing them meanwhile
 *      is no fault, because the queue keeps their memory.
 * TQ2. An adapter gets products of two matrices of f32 with {@link QueueOptions.fromOperations} multiply-adds or more that it takes. All others are
 *      `matmul` of the space, with its checks, dtypes and errors.
 * TQ3. What is wrong rejects the promise, nothing is thrown; one product that fails changes no other.
 * TQ4. At most {@link WAITING_MAX} products wait.
 */
import { QueueClosedError, QueueFullError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { contiguous } from "../ops/copies.ts";
import { matmul } from "../ops/matmul.ts";
import { requireApart, resultFor } from "../ops/result.ts";
import type { ProductAdapter, ProductSize } from "./product-adapter.ts";

/** Products that wait at once. */
export const WAITING_MAX = 1024;
/** Multiply-adds from which on an adapter is asked, unless another number is given: a product of 256 x 256. */
export const FROM_OPERATIONS: number = 2 ** 24;

/** How a queue is made. */
export interface QueueOptions {
  /** As `findAdapter` found it. Default: none, so that the kernels do all. The queue closes it. */
  readonly adapter?: ProductAdapter | undefined;
  /** Multiply-adds from which on the adapter is asked: 0 or more, default {@link FROM_OPERATIONS}. */
  readonly fromOperations?: number;
}

/** See the top of this file. */
export class TensorQueue {
  readonly #adapter: ProductAdapter | undefined;
  readonly #fromOperations: number;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #byAdapter = 0;
  #closing: Promise<void> | undefined;

  constructor({ adapter, fromOperations = FROM_OPERATIONS }: QueueOptions = {}) {
    this.#adapter = adapter;
    this.#fromOperations = fromOperations;
  }

  /** The adapter's name, or `kernels`. */
  get name(): string {
    return this.#adapter?.name ?? "kernels";
  }

  /** Products that are not done, and how many the adapter has made. */
  get stats(): { readonly waiting: number; readonly byAdapter: number } {
    return { waiting: this.#waiting, byAdapter: this.#byAdapter };
  }

  /**
   * The product as `Tensor.matmul` has it, into `out` or a new tensor.
   * @throws what `matmul` throws; {QueueFullError} {QueueClosedError} {AdapterFailedError}
   */
  async matmul<T extends Handle>(a: T, b: T, out?: T): Promise<T> {
    if (this.#closing !== undefined) throw new QueueClosedError();
    if (this.#waiting >= WAITING_MAX) throw new QueueFullError(WAITING_MAX);
    for (const one of [a, b, out]) one?.at;
    const [left, right] = [held(a), held(b)];
    this.#waiting++;
    const turn = this.#last.then(async () => {
      try {
        return await this.#product(left, right, out);
      } finally {
        left.free();
        right.free();
        this.#waiting--;
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Wait for all products, then close the adapter. What is asked for afterwards is refused. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#last.then(() => this.#adapter?.close());
    return this.#closing;
  }

  async #product<T extends Handle>(a: T, b: T, out: T | undefined): Promise<T> {
    const size = sizeOf(a, b, out);
    const adapter = this.#adapter;
    const isLarge = size !== undefined && size.m * size.n * size.k >= this.#fromOperations;
    if (adapter === undefined || !isLarge || !adapter.takes(size)) return matmul(a, b, out);
    const result = resultFor("matmul", a, "f32", [size.m, size.n], out);
    if (out !== undefined) for (const operand of [a, b]) requireApart("matmul", out, operand);
    const [left, right] = [contiguous(a), contiguous(b)];
    try {
      const show = (one: T) => () => one.data as Float32Array;
      await adapter.multiply(size, { a: show(left), b: show(right), out: show(result) });
      this.#byAdapter++;
      return result;
    } catch (error) {
      if (out === undefined) result.free();
      throw error;
    } finally {
      if (left !== a) left.free();
      if (right !== b) right.free();
    }
  }
}

/** Another handle of the same memory (TQ1). */
function held<T extends Handle>(one: T): T {
  return one.view(one.shape, one.strides, 0);
}

/** The size of a product that an adapter may be asked for; undefined for all others (TQ2). */
function sizeOf(a: Handle, b: Handle, out: Handle | undefined): ProductSize | undefined {
  const isPlain =
    a.rank === 2 && b.rank === 2 && a.dtype === "f32" && b.dtype === "f32" && a.space === b.space;
  const [m = 0, k = 0] = a.shape;
  const [inner = 0, n = 0] = b.shape;
  return isPlain && k === inner && out?.contiguous !== false ? { m, n, k } : undefined;
}
