/** Looking into a kernel from outside: traces, spans, and the figures its histograms are made with. */
export { type ChromeEvent, type ChromeTrace, chromeTrace } from "./chrome-trace.ts";
export type { CurrentTask } from "./current-task.ts";
export { HISTOGRAM_BOUNDS } from "./histogram.ts";
export {
  createSpanRecorder,
  type SpanEvent,
  type SpanRecord,
  type SpanRecorder,
  type SpanRecorderOptions,
} from "./span-recorder.ts";
export { OBSERVERS_MOST, type TaskObserver } from "./task-observer.ts";
export type { MeasureOptions } from "./task-times.ts";
export {
  decodeTrace,
  type SliceRecord,
  type SyscallRecord,
  type Trace,
  type TraceRecord,
} from "./trace-image.ts";
