/** Entry point `@glia-os/hal/detect`: what machine is this. */
export { ARCHITECTURES, type Architecture, detectArchitecture } from "./architecture.ts";
export { describeHardware, type HardwareLine } from "./describe-hardware.ts";
export {
  createHardwareDetector,
  detectHardware,
  type HardwareDetector,
  invalidateHardware,
} from "./detect-hardware.ts";
export { BadTargetError } from "./errors.ts";
export {
  decodeFeatures,
  encodeFeatures,
  FEATURE_BITS,
  FEATURES,
  type Feature,
  type FeatureKnowledge,
  hasFeature,
  isFeature,
  maxVectorWidthBits,
} from "./feature.ts";
export type { CacheDescription, CacheType, HardwareProfile, ResourceLimits } from "./hardware-profile.ts";
export {
  type CpuTime,
  createLocalMachine,
  type LocalMachineOptions,
  type Machine,
  type OsLibrary,
} from "./machine.ts";
export {
  parseTarget,
  parseTargetText,
  TARGET_FORMAT,
  type Target,
  type TargetDescription,
} from "./target-description.ts";
