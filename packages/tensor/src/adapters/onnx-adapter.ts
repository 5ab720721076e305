/**
 * Products by ONNX Runtime, which has kernels for the widest vectors of a processor.
 *
 * OX1. Operands and result are handed over without a copy where the space's memory is not shared. The binding of `onnxruntime-node` reads
 *      them in a later turn of the event loop, so views that have ended by then are told and the product is made once more with copies.
 * OX2. The binding computes in the thread that asks: a product holds up the event loop as one of our kernels does, and is sooner done.
 */
import { AdapterFailedError, BadBackendError } from "../errors.ts";
import { importInstalled } from "./installed.ts";
import { productModel } from "./onnx-model.ts";
import type { ProductAdapter, ProductMemory, ProductSize } from "./product-adapter.ts";

interface OnnxTensor {
  readonly data: unknown;
}

interface OnnxSession {
  run(
    feeds: Readonly<Record<string, OnnxTensor>>,
    fetches?: Readonly<Record<string, OnnxTensor>>,
  ): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

/** What is used of the module `onnxruntime-node`. */
export interface OnnxRuntime {
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OnnxTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<OnnxSession>;
  };
}

/** How the adapter is made. */
export interface OnnxOptions {
  /** Threads of one product: 1 or more; default: as many as ONNX Runtime chooses. */
  readonly threads?: number;
  /** The module, where the program has imported it. Default: `onnxruntime-node`, if it is installed. */
  readonly runtime?: OnnxRuntime;
}

/** The adapter of ONNX Runtime. @throws {BadBackendError} when that is not installed or does not start. */
export async function onnxAdapter({ threads, runtime }: OnnxOptions = {}): Promise<ProductAdapter> {
  try {
    const module = runtime ?? ((await importInstalled("onnxruntime-node")) as OnnxRuntime);
    const session = await module.InferenceSession.create(productModel(), {
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      interOpNumThreads: 1,
    });
    return new OnnxAdapter(module, session);
  } catch (error) {
    throw new BadBackendError("onnxruntime", `cannot be used: ${(error as Error).message}`);
  }
}

class OnnxAdapter implements ProductAdapter {
  readonly name = "onnxruntime";
  readonly device = "the processor, by ONNX Runtime";
  readonly #runtime: OnnxRuntime;
  #session: OnnxSession | undefined;

  constructor(runtime: OnnxRuntime, session: OnnxSession) {
    this.#runtime = runtime;
    this.#session = session;
  }

  takes({ m, n, k }: ProductSize): boolean {
    return m > 0 && n > 0 && k > 0;
  }

  async multiply(size: ProductSize, memory: ProductMemory): Promise<void> {
    const { a, b, out } = memory;
    const isShared = !(a().buffer instanceof ArrayBuffer);
    try {
      if (!isShared && (await this.#inPlace(size, [a(), b(), out()]))) return;
      const result = await this.#run(size, [a().slice(), b().slice()]);
      out().set(result["C"]?.data as Float32Array);
    } catch (error) {
      throw new AdapterFailedError(this.name, error);
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }

  /** False when a view ended before it was read or written (OX1). */
  async #inPlace(size: ProductSize, views: readonly Float32Array[]): Promise<boolean> {
    const [a, b, out] = views as [Float32Array, Float32Array, Float32Array];
    try {
      const result = new this.#runtime.Tensor("float32", out, [size.m, size.n]);
      await this.#run(size, [a, b], { C: result });
    } catch (error) {
      if (views.every(({ length }) => length > 0)) throw error;
    }
    return views.every(({ length }) => length > 0);
  }

  #run(
    { m, n, k }: ProductSize,
    [a, b]: readonly [Float32Array, Float32Array],
    fetches?: Readonly<Record<string, OnnxTensor>>,
  ): Promise<Readonly<Record<string, OnnxTensor>>> {
    const { Tensor } = this.#runtime;
    if (this.#session === undefined) throw new BadBackendError(this.name, "was closed");
    const feeds = { A: new Tensor("float32", a, [m, k]), B: new Tensor("float32", b, [k, n]) };
    return fetches === undefined ? this.#session.run(feeds) : this.#session.run(feeds, fetches);
  }
}
