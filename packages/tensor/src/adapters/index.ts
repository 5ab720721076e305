/** Entry point `@glia-os/tensor/adapters`: other programs that multiply matrices, and the queue that uses them. */
export { ADAPTER_NAMES, type AdapterName, type FoundAdapter, findAdapter } from "./find-adapter.ts";
export { type OnnxOptions, type OnnxRuntime, onnxAdapter } from "./onnx-adapter.ts";
export type { ProductAdapter, ProductMemory, ProductSize } from "./product-adapter.ts";
export { FROM_OPERATIONS, type QueueOptions, TensorQueue, WAITING_MAX } from "./tensor-queue.ts";
export type { Gpu } from "./webgpu.ts";
export { type WebGpuOptions, webgpuAdapter } from "./webgpu-adapter.ts";
