/**
 * Log lines of a kernel, with the trace of the task they are about.
 *
 * TL1. A line that names a task in `task` gets `traceId` and `spanId` of that task's span, when it has one. What the caller wrote under
 *      these names is replaced: a task cannot pretend to be a part of another trace.
 */
import type { LogFields, Logger, LogLevel, SpanContext } from "@glia-os/abi/ports";
import type { TaskId } from "../task.ts";

/** Adds traces to lines. */
export class TracedLogger implements Logger {
  readonly #logger: Logger;
  readonly #contextOf: (task: TaskId) => SpanContext | undefined;

  constructor(logger: Logger, contextOf: (task: TaskId) => SpanContext | undefined) {
    this.#logger = logger;
    this.#contextOf = contextOf;
  }

  log(level: LogLevel, message: string, fields?: LogFields): void {
    const task = fields?.["task"];
    const context = typeof task === "number" ? this.#contextOf(task as TaskId) : undefined;
    const traced = context && { ...fields, traceId: context.traceId, spanId: context.spanId };
    this.#logger.log(level, message, traced ?? fields);
  }

  child(fields: LogFields): Logger {
    return new TracedLogger(this.#logger.child(fields), this.#contextOf);
  }
}
