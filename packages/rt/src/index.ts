/** The embedded runtime: memory pools that allocate nothing, power modes and waits, triggers on battery, heat and load. */
export { RtError, type RtErrorCode } from "@glia-os/abi/errors/rt";
export {
  AsleepError,
  BadBlockError,
  BadImageError,
  BadOptionError,
  BadReadingError,
  BadTransitionError,
  DoubleFreeError,
  MemoryLostError,
  OverflowError,
  PoolExhaustedError,
  TooLargeError,
} from "./errors.ts";
export {
  type DeviceImports,
  EmbeddedImage,
  IMAGE_VERSION,
  type ImageDevice,
  type ImageExports,
  imageImports,
} from "./image.ts";
export { BUMP_MARKS_MAX, BumpPool, type BumpPoolOptions } from "./pools/bump-pool.ts";
export { FixedBlockPool, type FixedBlockPoolOptions } from "./pools/fixed-block-pool.ts";
export type { PoolPlace, PoolStatistics } from "./pools/pool-memory.ts";
export {
  VariablePool,
  type VariablePoolOptions,
  type VariablePoolStatistics,
} from "./pools/variable-pool.ts";
export {
  type EnergyPolicy,
  FrequencyGovernor,
  OPERATING_POINTS,
  type OperatingPoint,
} from "./power/frequency-governor.ts";
export { type IdlePause, modeForPause } from "./power/idle-choice.ts";
export { POWER_MODES, type PowerMode, type PowerModeFacts, powerMode } from "./power/power-mode.ts";
export { type PowerDriver, Processor, type ProcessorState, type Wake } from "./power/processor.ts";
export { reloadFor, SYSTICK_RELOAD_MAX, SysTick } from "./power/sys-tick.ts";
export { transitionRefusal } from "./power/transitions.ts";
export { WAKE_SOURCES, type WakeSource } from "./power/wake-source.ts";
export {
  POWER_LOOK_MS,
  type PowerEvent,
  type PowerState,
  PowerWatch,
  type PowerWatchOptions,
} from "./triggers/power-watch.ts";
export { type Readings, readSensors } from "./triggers/readings.ts";
export { Threshold, type ThresholdOptions } from "./triggers/threshold.ts";
export { type Trigger, type TriggerChange, Triggers, type TriggersOptions } from "./triggers/triggers.ts";
