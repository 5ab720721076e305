/** The Glia kernel on Node: the pump, cancellation both ways, log lines and a meter in memory. */
export { type ApprovalFolderOptions, createApprovalFolder } from "./approvals/approval-folder.ts";
export {
  AnsweredBeforeError,
  BadAnswerError,
  BoardDamagedError,
  BoardFullError,
  ChangedArgumentsError,
  UnknownApprovalError,
} from "./approvals/errors.ts";
export { awaiting, cancelOnAbort, toAbortSignal, toCancelSignal } from "./cancel.ts";
export { isPublicAddress, type Resolve, type ResolvedAddress } from "./effects/address-guard.ts";
export {
  AddressRefusedError,
  FileFailedError,
  HttpFailedError,
  OutsideRootError,
  RequestRefusedError,
  TooLargeError,
} from "./effects/errors.ts";
export { createFileTree, type FileTreeOptions } from "./effects/file-tree.ts";
export { createHttpClient, type HttpClientOptions } from "./effects/http-client.ts";
export { type AsyncEngineOptions, createAsyncEngine } from "./engines/async-engine.ts";
export { type BudgetPlace, CpuBudget } from "./engines/cpu-budget.ts";
export { effectiveProcessors } from "./engines/effective-processors.ts";
export type { HandedOn, JobContext, JobFunction } from "./engines/envelope.ts";
export {
  BudgetFullError,
  EngineClosedError,
  EngineFullError,
  JobFailedError,
  JobLostError,
  JobMemoryError,
  JobNotSerialisableError,
  JobTimeoutError,
  MalformedJobError,
  UnknownEntryError,
  WorkerFailedError,
} from "./engines/errors.ts";
export { jobProgram } from "./engines/job-program.ts";
export {
  type ChildPermissions,
  childPermissions,
  createProcessEngine,
  type ProcessEngineOptions,
  type Processes,
} from "./engines/process-engine.ts";
export { createThreadedEngine, type Threads } from "./engines/threaded-engine.ts";
export type { ThreadedEngineOptions } from "./engines/threaded-options.ts";
export {
  AbortedError,
  AlreadyRunningError,
  BadMetricError,
  BadOptionError,
  NotBytesError,
  SocketClosedError,
  SocketFailedError,
  UnhandledFailureError,
} from "./errors.ts";
export {
  createLogger,
  type HostLogger,
  type LineSink,
  type LoggerOptions,
  type TaskSource,
} from "./logger.ts";
export {
  BUCKETS,
  createMemoryMeter,
  type MemoryMeter,
  type MetricKind,
  type MetricSnapshot,
  type SeriesSnapshot,
} from "./memory-meter.ts";
export {
  CONTENT_TYPES,
  type ExpositionFormat,
  type ExpositionOptions,
  exposition,
} from "./observability/exposition.ts";
export type {
  SyscallMessage,
  SyscallsLostMessage,
  TaskEndMessage,
  TaskFailureMessage,
  TaskSpawnMessage,
  TaskStateMessage,
} from "./observability/kernel-channels.ts";
export { METRIC_HELP } from "./observability/metric-help.ts";
export {
  type OpenTelemetryApi,
  type OpenTelemetrySpan,
  type OpenTelemetrySpanOptions,
  type OpenTelemetryTracer,
  openTelemetryTracer,
} from "./observability/open-telemetry.ts";
export {
  createHostPower,
  HostPower,
  type HostPowerOptions,
  POWER_CALLBACKS_MAX,
} from "./power/host-power.ts";
export { type ProcessActivity, processActivity } from "./power/process-activity.ts";
export { type FormatStateOptions, formatState } from "./program/format-state.ts";
export { type RunningKernel, type RunOptions, runKernel } from "./run-kernel.ts";
export { type ConnectOptions, connect } from "./sockets/connect.ts";
export { connectionResource } from "./sockets/connection.ts";
export { type Listening, type ListenOptions, listen } from "./sockets/listen.ts";
export { accept, recv, send } from "./sockets/routines.ts";
export { type PortLike, RingPort, type RingPortOptions, type RingSide } from "./threads/ring-port.ts";
export { createWatchdog, type Hog, type Watchdog, type WatchdogOptions } from "./watchdog/watchdog.ts";
