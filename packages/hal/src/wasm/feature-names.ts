/** The WebAssembly features a profile tells about, with what each is. Names follow the proposals. */
export const WASM_FEATURES = {
  bigInt: "64-bit integers cross to JavaScript as BigInt",
  multiValue: "functions with several results",
  signExtension: "sign-extending integer operations",
  saturatingFloatToInt: "float to integer without traps",
  mutableGlobals: "mutable globals shared with JavaScript",
  bulkMemory: "memory.copy and memory.fill",
  referenceTypes: "references to host values",
  extendedConst: "arithmetic in constant expressions",
  simd128: "128-bit vectors",
  relaxedSimd: "relaxed vector operations",
  relaxedDotExact: "relaxed int8 dot product exact for 7-bit second operands",
  relaxedMaddFused: "relaxed multiply-add rounds once",
  threads: "shared memory and atomic operations",
  multiMemory: "several memories in one module",
  memory64: "64-bit memory addresses",
  tailCalls: "tail calls",
  exceptions: "exceptions with exnref",
  legacyExceptions: "exceptions of the older encoding",
  gc: "garbage-collected structures",
  jspi: "suspending on JavaScript promises",
} as const;

/** The name of a WebAssembly feature. */
export type WasmFeature = keyof typeof WASM_FEATURES;

/** The features that are about vectors. */
export type VectorFeature = "simd128" | "relaxedSimd" | "relaxedDotExact" | "relaxedMaddFused";

/** Whether each feature works in this process. */
export type WasmFeatures = Readonly<Record<WasmFeature, boolean>>;
