/** What is used of WebGPU (https://www.w3.org/TR/webgpu/), so that no package of types is needed. */

/** The bits of `GPUBufferUsage`. */
export const USAGE = {
  mapRead: 0x1,
  copySource: 0x4,
  copyDestination: 0x8,
  uniform: 0x40,
  storage: 0x80,
} as const;

/** A `GPUBuffer`: memory of a device. */
export interface GpuBuffer {
  readonly size: number;
  mapAsync(mode: number, offset: number, size: number): Promise<void>;
  getMappedRange(offset: number, size: number): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

/** Those of `GPUSupportedLimits` that matter here. */
export interface GpuLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** A `GPUComputePipeline`: a shader that can be run. */
export interface GpuPipeline {
  getBindGroupLayout(index: number): object;
}

interface GpuPass {
  setPipeline(pipeline: GpuPipeline): void;
  setBindGroup(index: number, group: object): void;
  dispatchWorkgroups(x: number, y: number): void;
  end(): void;
}

interface GpuEncoder {
  beginComputePass(): GpuPass;
  copyBufferToBuffer(from: GpuBuffer, fromAt: number, to: GpuBuffer, toAt: number, bytes: number): void;
  finish(): object;
}

/** A `GPUDevice`: what computes. */
export interface GpuDevice {
  readonly limits: GpuLimits;
  readonly lost: Promise<{ readonly message: string }>;
  readonly queue: {
    writeBuffer(buffer: GpuBuffer, offset: number, data: Float32Array | Uint32Array): void;
    submit(commands: readonly object[]): void;
  };
  createShaderModule(descriptor: { readonly code: string }): object;
  createComputePipelineAsync(descriptor: object): Promise<GpuPipeline>;
  pushErrorScope(kind: "validation" | "out-of-memory" | "internal"): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
  createBuffer(descriptor: { readonly size: number; readonly usage: number }): GpuBuffer;
  createBindGroup(descriptor: object): object;
  createCommandEncoder(): GpuEncoder;
  destroy(): void;
}

/** A `GPUAdapter`: what a device can be had from. */
export interface GpuAdapter {
  readonly limits: GpuLimits;
  readonly info?: { readonly vendor?: string; readonly device?: string; readonly description?: string };
  requestDevice(descriptor: {
    readonly requiredLimits: Readonly<Record<string, number>>;
  }): Promise<GpuDevice>;
}

/** The entry of WebGPU, `navigator.gpu` of a browser. */
export interface Gpu {
  requestAdapter(options: { readonly powerPreference: "high-performance" }): Promise<GpuAdapter | null>;
}
