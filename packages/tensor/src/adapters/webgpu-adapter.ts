/**
 * Products by WebGPU: the `navigator.gpu` of the environment, or the npm package `webgpu` (Dawn), if it is installed.
 *
 * WG1. Operands are copied to the device when the product is asked for, and the result back when it is done: nothing of the space is held.
 * WG2. WebGPU lets a device take denormal numbers for 0 and do as it likes with NaN and infinities. Operands that may hold those belong to the
 *      kernels.
 * WG3. Buffers grow with the largest product and are kept; a lost device fails this product and all after it.
 */
import { AdapterFailedError, BadBackendError } from "../errors.ts";
import { importInstalled } from "./installed.ts";
import type { ProductAdapter, ProductMemory, ProductSize } from "./product-adapter.ts";
import { PRODUCT_SHADER, TILE } from "./product-shader.ts";
import {
  type Gpu,
  type GpuAdapter,
  type GpuBuffer,
  type GpuDevice,
  type GpuPipeline,
  USAGE,
} from "./webgpu.ts";

const BYTES = 4;
const READ = 1;
const SIZE_BYTES = 16;
const ERRORS = ["validation", "out-of-memory", "internal"] as const;

/** How the adapter is made. */
export interface WebGpuOptions {
  /** The entry of WebGPU. Default: `navigator.gpu`, else that of the package `webgpu`. */
  readonly gpu?: Gpu;
}

/** The adapter of WebGPU. @throws {BadBackendError} when there is none, or no device behind it. */
export async function webgpuAdapter({ gpu }: WebGpuOptions = {}): Promise<ProductAdapter> {
  try {
    const entry = gpu ?? (await findGpu());
    const adapter = await entry.requestAdapter({ powerPreference: "high-performance" });
    if (adapter === null) throw new BadBackendError("webgpu", "finds no device");
    const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
    const device = await adapter.requestDevice({
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
    });
    const module = device.createShaderModule({ code: PRODUCT_SHADER });
    const pipeline = await device.createComputePipelineAsync({
      layout: "auto",
      compute: { module, entryPoint: "product" },
    });
    return new WebGpuAdapter(entry, device, pipeline, nameOf(adapter));
  } catch (error) {
    if (error instanceof BadBackendError) throw error;
    throw new BadBackendError("webgpu", `cannot be used: ${(error as Error).message}`);
  }
}

async function findGpu(): Promise<Gpu> {
  const { navigator } = globalThis as { navigator?: { gpu?: Gpu } };
  if (navigator?.gpu !== undefined) return navigator.gpu;
  const { create } = (await importInstalled("webgpu")) as { create(options: readonly string[]): Gpu };
  return create([]);
}

function nameOf({ info }: GpuAdapter): string {
  const said = [info?.vendor, info?.device, info?.description].filter(
    (text) => text !== undefined && text !== "",
  );
  return said.length === 0 ? "a device that says nothing of itself" : said.join(", ");
}

interface Buffers {
  readonly a: GpuBuffer;
  readonly b: GpuBuffer;
  readonly c: GpuBuffer;
  readonly back: GpuBuffer;
}

class WebGpuAdapter implements ProductAdapter {
  readonly name = "webgpu";
  readonly device: string;
  /** Kept: a device may not outlive the entry it came from. */
  readonly entry: Gpu;
  readonly #device: GpuDevice;
  readonly #pipeline: GpuPipeline;
  readonly #size: GpuBuffer;
  #buffers: Buffers | undefined;
  #lost: string | undefined;

  constructor(entry: Gpu, device: GpuDevice, pipeline: GpuPipeline, name: string) {
    this.entry = entry;
    this.device = name;
    this.#device = device;
    this.#pipeline = pipeline;
    this.#size = device.createBuffer({ size: SIZE_BYTES, usage: USAGE.uniform | USAGE.copyDestination });
    void device.lost.then(({ message }) => {
      this.#lost = message === "" ? "its device was lost" : message;
    });
  }

  takes({ m, n, k }: ProductSize): boolean {
    const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupsPerDimension } =
      this.#device.limits;
    const most = Math.min(maxStorageBufferBindingSize, maxBufferSize);
    const groups = Math.ceil(Math.max(m, n) / TILE);
    return (
      m > 0 &&
      n > 0 &&
      k > 0 &&
      BYTES * Math.max(m * k, k * n, m * n) <= most &&
      groups <= maxComputeWorkgroupsPerDimension
    );
  }

  async multiply(size: ProductSize, { a, b, out }: ProductMemory): Promise<void> {
    try {
      if (this.#lost !== undefined) throw new BadBackendError(this.name, `is gone: ${this.#lost}`);
      const { m, n, k } = size;
      const bytes = BYTES * m * n;
      const buffers = await this.#checked(() => {
        const room = this.#roomFor(size);
        const { queue } = this.#device;
        queue.writeBuffer(this.#size, 0, Uint32Array.of(m, n, k, 0));
        queue.writeBuffer(room.a, 0, a());
        queue.writeBuffer(room.b, 0, b());
        this.#submit(size, room, bytes);
        return room;
      });
      await buffers.back.mapAsync(READ, 0, bytes);
      out().set(new Float32Array(buffers.back.getMappedRange(0, bytes)));
      buffers.back.unmap();
    } catch (error) {
      throw new AdapterFailedError(this.name, error);
    }
  }

  async close(): Promise<void> {
    this.#lost ??= "it was closed";
    this.#release();
    this.#device.destroy();
  }

  /** What WebGPU finds wrong it says to scopes, not by an exception. */
  async #checked<T>(work: () => T): Promise<T> {
    for (const kind of ERRORS) this.#device.pushErrorScope(kind);
    let result: T;
    let scopes: readonly Promise<{ readonly message: string } | null>[] = [];
    try {
      result = work();
    } finally {
      scopes = ERRORS.map(() => this.#device.popErrorScope());
    }
    for (const error of await Promise.all(scopes))
      if (error !== null) throw new BadBackendError(this.name, `says: ${error.message}`);
    return result;
  }

  #submit({ m, n }: ProductSize, { a, b, c, back }: Buffers, bytes: number): void {
    const entries = [a, b, c, this.#size].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = this.#device.createBindGroup({ layout: this.#pipeline.getBindGroupLayout(0), entries });
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(Math.ceil(n / TILE), Math.ceil(m / TILE));
    pass.end();
    encoder.copyBufferToBuffer(c, 0, back, 0, bytes);
    this.#device.queue.submit([encoder.finish()]);
  }

  /** (WG3) */
  #roomFor({ m, n, k }: ProductSize): Buffers {
    const wanted = { a: BYTES * m * k, b: BYTES * k * n, c: BYTES * m * n };
    const have = this.#buffers;
    if (have !== undefined && have.a.size >= wanted.a && have.b.size >= wanted.b && have.c.size >= wanted.c)
      return have;
    this.#release();
    const make = (size: number, usage: number): GpuBuffer => this.#device.createBuffer({ size, usage });
    this.#buffers = {
      a: make(Math.max(wanted.a, have?.a.size ?? 0), USAGE.storage | USAGE.copyDestination),
      b: make(Math.max(wanted.b, have?.b.size ?? 0), USAGE.storage | USAGE.copyDestination),
      c: make(Math.max(wanted.c, have?.c.size ?? 0), USAGE.storage | USAGE.copySource),
      back: make(Math.max(wanted.c, have?.c.size ?? 0), USAGE.mapRead | USAGE.copyDestination),
    };
    return this.#buffers;
  }

  #release(): void {
    const { a, b, c, back } = this.#buffers ?? {};
    for (const buffer of [a, b, c, back]) buffer?.destroy();
    this.#buffers = undefined;
  }
}
