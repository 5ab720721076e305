/** Sandboxed WebAssembly guests that can be stopped in the middle of a call, taken as bytes and continued elsewhere. */

export { requireSignature, type SignedParts, signModule, splitSignature } from "./artefact.ts";
export type { DirtyMarks } from "./barrier/dirty-marks.ts";
export type { Tracking } from "./barrier/tracking.ts";
export { callRanges } from "./capabilities/call-ranges.ts";
export { capabilitiesOf } from "./capabilities/capabilities-of.ts";
export { CapabilityMirror, type NoteBook } from "./capabilities/capability-mirror.ts";
export { GuestCopy } from "./checkpoint/guest-copy.ts";
export type { Arrival } from "./engine/arrival.ts";
export {
  createWasmEngine,
  type WasmEngine,
  type WasmEngineOptions,
  type WasmProgram,
} from "./engine/engine.ts";
export type { WasmInstance } from "./engine/instance.ts";
export { completeLimits, DEFAULT_LIMITS, LIMIT_RANGES } from "./engine/limits.ts";
export {
  AlreadyTrackedError,
  BadCapabilityError,
  BadHostModuleError,
  BadHostWaitError,
  BadKeyError,
  BadLaunchError,
  BadLimitError,
  BadResultError,
  BinaryenMissingError,
  CapabilityUnbindableError,
  FuelExhaustedError,
  GuestProtocolError,
  GuestTrappedError,
  HostFailedError,
  HostMemoryError,
  HostModuleMissingError,
  ImportMismatchError,
  ImportNotGrantedError,
  InstanceEndedError,
  MalformedModuleError,
  MemoryLimitError,
  ModuleTooBigError,
  NotAModuleError,
  NotInstrumentedError,
  NotPendingError,
  NotResidentError,
  PayloadTooBigError,
  PostCopyCorruptError,
  PostCopyLostError,
  PostCopyOrderError,
  PreCopyCorruptError,
  PreCopyOrderError,
  SnapshotCorruptError,
  SnapshotMismatchError,
  SnapshotTooBigError,
  SnapshotVersionError,
  StackExhaustedError,
  UnboundedModuleError,
  UnmeteredCodeError,
  UnsignedModuleError,
  UnsupportedFeatureError,
} from "./errors.ts";
export { type ImportReport, inspectModule, type ModuleReport } from "./inspect.ts";
export type { PostCopyHandover } from "./postcopy/arrival-state.ts";
export { type BorrowedProgram, borrowed, type LentProgram } from "./postcopy/borrowed.ts";
export { type PostCopyOptions, PostCopySource } from "./postcopy/source.ts";
export { PostCopyTarget } from "./postcopy/target.ts";
export { PieceMemory } from "./precopy/piece-memory.ts";
export { type PreCopyOptions, PreCopySource } from "./precopy/source.ts";
export { PreCopyTarget } from "./precopy/target.ts";
export type { Presence, PresenceModules } from "./presence/variants.ts";
export { PIPELINE_VERSION, PROFILES, type Profile } from "./profile.ts";
export {
  BadGuestOptionError,
  BadMessageError,
  type GuestEnd,
  GuestMailboxFullError,
  type GuestOptions,
  GuestOverdueError,
  GuestScheduler,
  GuestUnknownError,
  type SchedulerBounds,
  type SchedulerCounts,
  type SchedulerEvents,
  type SchedulerOptions,
  TooManyGuestsError,
  WaitUnansweredError,
} from "./scheduler/index.ts";
export {
  applyIncrement,
  type Checkpoint,
  checkpointOf,
  type DecodeLimits,
  decodeSnapshot,
  type EncodeOptions,
  encodeIncrement,
  encodeSnapshot,
  type Increment,
  restoreIncrements,
  SnapshotDecoder,
} from "./snapshot/index.ts";
export { LAUNCH_LIMITS, type WasiLaunch } from "./wasi/launch.ts";
export { wasiPreview1 } from "./wasi/module.ts";
export { WASI_MODULE } from "./wasi/suspending.ts";
export { Heartbeat, type RunningStep, StepWatch } from "./watchdog.ts";
