/** `@glia-os/hal`: what machine is this, and the real implementations of the ports that touch it. */
export { type AmbientGuardOptions, createAmbientGuard, type SystemAmbientGuard } from "./ambient-guard.ts";
export {
  createSystemClock,
  createSystemTimers,
  MAX_PENDING_TIMERS,
  type SystemTimers,
  type SystemTimersOptions,
  type TimeoutFunctions,
} from "./clock.ts";
export {
  ARCHITECTURES,
  type Architecture,
  type CacheDescription,
  type CacheType,
  type CpuTime,
  createHardwareDetector,
  createLocalMachine,
  decodeFeatures,
  describeHardware,
  detectArchitecture,
  detectHardware,
  encodeFeatures,
  FEATURE_BITS,
  FEATURES,
  type Feature,
  type FeatureKnowledge,
  type HardwareDetector,
  type HardwareLine,
  type HardwareProfile,
  hasFeature,
  invalidateHardware,
  isFeature,
  type LocalMachineOptions,
  type Machine,
  maxVectorWidthBits,
  type OsLibrary,
  parseTarget,
  parseTargetText,
  type ResourceLimits,
  TARGET_FORMAT,
  type Target,
  type TargetDescription,
} from "./detect.ts";
export { createEd25519Signer, createSystemDigests, generateEd25519Key } from "./digests.ts";
export {
  BadDelayError,
  BadKeyError,
  BadRandomLabelError,
  BadTargetError,
  TooManyTimersError,
} from "./errors.ts";
export { createSystemRandom, RANDOM_LABEL_LIMIT } from "./random.ts";
export { createSealedScript, type SealedScript, type SealedScriptOptions } from "./sealed-script.ts";
export { createSystemSensors } from "./sensors.ts";
export {
  detectWasmFeatures,
  invalidateWasmFeatures,
  probeWasmFeatures,
  WASM_FEATURES,
  type WasmEngine,
  type WasmFeature,
  type WasmFeatures,
} from "./wasm-features.ts";
