/** What the options of a kernel ask to be observed, put together. */
import type { Logger } from "@glia-os/abi/ports";
import { BadOptionError } from "../errors.ts";
import type { KernelOptions } from "../kernel.ts";
import { whole } from "../mailbox.ts";
import { checkOptions } from "../options.ts";
import type { TaskId } from "../task.ts";
import type { SyscallTracer } from "../traced-syscalls.ts";
import type { Listener } from "./task-observer.ts";
import { SyscallSpans, TaskSpans } from "./task-spans.ts";
import { TaskTimes, TURNS_PER_READING, TURNS_PER_READING_MOST } from "./task-times.ts";
import { TracedLogger } from "./traced-logger.ts";

/** The observing parts of one kernel; null for what is not asked for. */
export interface Observation {
  readonly times: TaskTimes | null;
  readonly spans: TaskSpans | null;
  readonly tracer: SyscallTracer | null;
  readonly logger: Logger | null;
  readonly observers: readonly Listener[];
}

/** Read the options. @throws {BadOptionError} for one that lacks what it needs. */
export function observation(options: KernelOptions, pathOf: (task: TaskId) => string): Observation {
  if (options.spans !== undefined && typeof options.spans?.start !== "function")
    throw new BadOptionError("spans", options.spans, "a tracer");
  const times = timesOf(options);
  const spans = options.spans === undefined ? null : new TaskSpans(options.spans, pathOf);
  if (options.syscallSpans === true && spans === null)
    throw new BadOptionError("syscallSpans", true, "used with spans: a tracer that makes them");
  const calls = spans !== null && options.syscallSpans === true ? new SyscallSpans(spans) : null;
  const listeners: readonly (Listener | undefined | null)[] = [times, calls, spans, options.observer];
  const { logger = null } = options;
  return {
    times,
    spans,
    tracer: tracerOf(options.tracer ?? null, calls),
    logger:
      logger === null || spans === null ? logger : new TracedLogger(logger, (task) => spans.contextOf(task)),
    observers: listeners.filter((listener) => listener !== null && listener !== undefined),
  };
}

function timesOf({ measure = false, meter, clock }: KernelOptions): TaskTimes | null {
  if (measure === false) return null;
  if (measure !== true) checkOptions("measure", measure);
  const { turnsPerReading = TURNS_PER_READING } = measure === true ? {} : measure;
  whole("turnsPerReading", turnsPerReading, 1, TURNS_PER_READING_MOST);
  if (meter === undefined)
    throw new BadOptionError("measure", true, "used with a meter that gets the figures");
  return new TaskTimes(clock, meter, turnsPerReading);
}

function tracerOf(given: SyscallTracer | null, spans: SyscallTracer | null): SyscallTracer | null {
  if (given === null || spans === null) return given ?? spans;
  return {
    syscall(task, op, outcome, argument) {
      given.syscall(task, op, outcome, argument);
      spans.syscall(task, op, outcome, argument);
    },
  };
}
