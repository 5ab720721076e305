/** The task whose code runs, as far as a log line says it. */
import type { SpanContext } from "@glia-os/abi/ports";
import type { Task, TaskId } from "../task.ts";

/** A task, and its span when a tracer makes them. */
export interface CurrentTask {
  readonly task: TaskId;
  readonly path: string;
  /** Undefined for a task without a name. */
  readonly name: string | undefined;
  readonly traceId?: string;
  readonly spanId?: string;
}

/** Describe a task. */
export function currentTask(task: Task, span: SpanContext | undefined): CurrentTask {
  const known = { task: task.id, path: task.path(), name: task.extra?.name || undefined };
  return span === undefined ? known : { ...known, traceId: span.traceId, spanId: span.spanId };
}
