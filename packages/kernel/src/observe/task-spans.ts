/**
 * A span per task, and one per syscall when asked.
 *
 * SP1. A task's span begins when it is made and ends when it ends. Its parent is the span that its maker named, else the span of the task that
 *      made it; a task of the shell without a name begins a trace.
 * SP2. Only a task that failed has the status `error`; how each ended is its attribute `glia.task.exit`.
 * SP3. A syscall's span is a part of its task's: of no length when it need not wait, else from the moment the task parked until it runs again.
 * SP4. The context of an ended task is known until its place is taken by another task, so that messages it left can be followed.
 */
import type { Span, SpanAttributes, SpanContext, SpanOptions, Tracer } from "@glia-os/abi/ports";
import { isSpanContext, parseTraceparent } from "@glia-os/abi/wire";
import { OPCODE_NAMES } from "../opcodes.ts";
import { shown } from "../shown.ts";
import { INDEX_MASK } from "../slot-id.ts";
import type { Exit, TaskId, TaskState } from "../task.ts";
import type { SyscallTracer } from "../traced-syscalls.ts";
import type { LifeObserver, TransitionObserver } from "./task-observer.ts";

interface Traced {
  readonly task: TaskId;
  /** Undefined when the tracer does not record. */
  readonly context: SpanContext | undefined;
  /** Null when the task ended. */
  span: Span | null;
  /** The syscall it is parked in. */
  parked: Span | null;
}

/** The spans of one kernel's tasks. */
export class TaskSpans implements LifeObserver {
  readonly #tracer: Tracer;
  readonly #pathOf: (task: TaskId) => string;
  readonly #traced: (Traced | undefined)[] = [];

  constructor(tracer: Tracer, pathOf: (task: TaskId) => string) {
    this.#tracer = tracer;
    this.#pathOf = pathOf;
  }

  /** The context of a task's span; undefined for a task it does not know (SP4). */
  contextOf(task: TaskId): SpanContext | undefined {
    return this.#find(task)?.context;
  }

  spawned(task: TaskId, parent: TaskId, name: string, traceparent: string | undefined): void {
    const above = traceparent === undefined ? this.contextOf(parent) : parseTraceparent(traceparent);
    const attributes = { "glia.task.id": task, "glia.task.path": this.#pathOf(task) };
    const span = this.#tracer.start(name === "" ? "task" : `task ${name}`, under(above, attributes));
    // A gap would make the array a dictionary.
    while (this.#traced.length <= (task & INDEX_MASK)) this.#traced.push(undefined);
    const context = isSpanContext(span.context) ? span.context : undefined;
    this.#traced[task & INDEX_MASK] = { task, context, span, parked: null };
  }

  ended(task: TaskId, exit: Exit): void {
    const traced = this.#find(task);
    if (traced === undefined || traced.span === null) return;
    const { span } = traced;
    this.went(task);
    span.set("glia.task.exit", exit.kind);
    if (exit.kind === "failed") span.status("error", textOf(exit.error));
    span.end();
    traced.span = null;
  }

  /** A task made a syscall (SP3). */
  made(task: TaskId, op: number, outcome: "done" | "parked" | "refused", argument: number): void {
    const traced = this.#find(task);
    if (traced === undefined) return;
    const name = OPCODE_NAMES[op] ?? `#${op}`;
    const attributes = { "glia.syscall.argument": argument };
    const span = this.#tracer.start(`syscall ${name}`, under(traced.context, attributes));
    if (outcome === "parked") {
      traced.parked?.end();
      traced.parked = span;
      return;
    }
    if (outcome === "refused") span.status("error", "refused");
    span.end();
  }

  /** A task does not wait any more. */
  went(task: TaskId): void {
    const traced = this.#find(task);
    if (traced === undefined) return;
    traced.parked?.end();
    traced.parked = null;
  }

  #find(task: TaskId): Traced | undefined {
    const traced = this.#traced[task & INDEX_MASK];
    return traced?.task === task ? traced : undefined;
  }
}

/** Tells {@link TaskSpans} of syscalls. */
export class SyscallSpans implements SyscallTracer, TransitionObserver {
  readonly #spans: TaskSpans;

  constructor(spans: TaskSpans) {
    this.#spans = spans;
  }

  syscall(task: TaskId, op: number, outcome: "done" | "parked" | "refused", argument: number): void {
    this.#spans.made(task, op, outcome, argument);
  }

  transition(task: TaskId, _from: TaskState, to: TaskState): void {
    if (to === "running") this.#spans.went(task);
  }
}

function under(parent: SpanContext | undefined, attributes: SpanAttributes): SpanOptions {
  return parent === undefined ? { attributes } : { parent, attributes };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : shown(error);
}
