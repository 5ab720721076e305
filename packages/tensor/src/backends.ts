/** Entry point `@glia-os/tensor/backends`: backends in WebAssembly, threads, and the choice among them. */
export {
  BACKEND_NAMES,
  type BackendName,
  type Candidate,
  type Choice,
  choose,
  chooseAmong,
  chooseBackend,
  openBackend,
  type Trial,
} from "./dispatch/choose.ts";
export { kernelPeak } from "./dispatch/peak.ts";
export { scalarBackend } from "./scalar/scalar-backend.ts";
export { THREADS_MOST, type ThreadsOptions, threadsBackend } from "./threads/threads-backend.ts";
export { fixedBackend, wasmBackend } from "./wasm/wasm-backend.ts";
