/**
 * Entry point `@glia-os/hal/wasm-features`: what the WebAssembly engine of this process can do, found by
 * running.
 */
export {
  detectWasmFeatures,
  invalidateWasmFeatures,
  probeWasmFeatures,
} from "./wasm/detect-wasm-features.ts";
export type { WasmEngine } from "./wasm/engine.ts";
export { WASM_FEATURES, type WasmFeature, type WasmFeatures } from "./wasm/feature-names.ts";
