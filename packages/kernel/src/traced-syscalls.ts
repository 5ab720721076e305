/**
 * A trace ring that tells every record to a listener as well, in the order of the kernel.
 *
 * TS1. The class is picked when the kernel is made. Without a `tracer` port no syscall pays for this.
 */
import type { TaskId } from "./task.ts";
import { DONE, PARKED, TraceRing } from "./trace-ring.ts";

/** Hears of every traced syscall. Called inside the syscall: must not throw and must not change the kernel. */
export interface SyscallTracer {
  /** `argument`: the handle, id or duration the call is about; 0 without one. The task id is 0 for a call of the shell. */
  syscall(task: TaskId, op: number, outcome: "done" | "parked" | "refused", argument: number): void;
}

/** The ring with a listener. */
export class TracedSyscalls extends TraceRing {
  readonly #tracer: SyscallTracer;

  constructor(records: number, tracer: SyscallTracer) {
    super(records);
    this.#tracer = tracer;
  }

  override write(op: number, outcome: number, task: number, argument: number): void {
    super.write(op, outcome, task, argument);
    const name = outcome === DONE ? "done" : outcome === PARKED ? "parked" : "refused";
    this.#tracer.syscall(task as TaskId, op, name, argument);
  }
}
