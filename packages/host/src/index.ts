/** The Glia kernel on Node: the pump, cancellation both ways, log lines and a meter in memory. */
export { awaiting, cancelOnAbort, toAbortSignal, toCancelSignal } from "./cancel.ts";
export {
  AbortedError,
  AlreadyRunningError,
  BadMetricError,
  BadOptionError,
  UnhandledFailureError,
} from "./errors.ts";
export { createLogger, type LineSink, type LoggerOptions } from "./logger.ts";
export {
  BUCKETS,
  createMemoryMeter,
  type MemoryMeter,
  type MetricKind,
  type MetricSnapshot,
  type SeriesSnapshot,
} from "./memory-meter.ts";
export { type RunningKernel, type RunOptions, runKernel } from "./run-kernel.ts";
