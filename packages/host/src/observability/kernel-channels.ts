/**
 * What a kernel does, on channels of `node:diagnostics_channel`.
 *
 * DC1. Without a subscriber no message is made and nothing is looked up; per task two functions are called that find that out.
 * DC2. `glia:task:spawn` and `glia:task:end` are published when it happens. A subscriber hears of every task made after it subscribed.
 * DC3. `glia:task:state` begins with the slice after the subscription. `glia:syscall` is read from the trace ring when the slice ends, so its
 *      messages come after everything else of the slice; those the ring could not hold are counted on `glia:syscall:lost`.
 * DC4. A subscriber that throws harms no task: Node reports its error as an uncaught exception.
 */
import { channel } from "node:diagnostics_channel";
import type { Exit, Kernel, TaskId, TaskObserver, TaskState, UnobservedFailure } from "@glia-os/kernel";
import { decodeTrace, type SyscallRecord } from "@glia-os/kernel/observe";

/** The message of `glia:task:spawn`. */
export interface TaskSpawnMessage {
  readonly kernel: Kernel;
  readonly task: TaskId;
  /** The task that made it; 0 for the shell. */
  readonly parent: TaskId;
  readonly path: string;
  readonly name: string;
  /** Of its span; undefined without a tracer. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
}

/** The message of `glia:task:end`. */
export interface TaskEndMessage {
  readonly kernel: Kernel;
  readonly task: TaskId;
  readonly path: string;
  readonly name: string;
  readonly exit: Exit;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
}

/** The message of `glia:task:state`. */
export interface TaskStateMessage {
  readonly kernel: Kernel;
  readonly task: TaskId;
  readonly from: TaskState;
  readonly to: TaskState;
}

/** The message of `glia:task:failure`: a task failed and nobody waited for its end. */
export interface TaskFailureMessage extends UnobservedFailure {
  readonly kernel: Kernel;
}

/** The message of `glia:syscall`. */
export interface SyscallMessage extends SyscallRecord {
  readonly kernel: Kernel;
}

/** The message of `glia:syscall:lost`. */
export interface SyscallsLostMessage {
  readonly kernel: Kernel;
  /** Records that were overwritten before they could be read. */
  readonly records: number;
}

const SPAWN = channel("glia:task:spawn");
const END = channel("glia:task:end");
const STATE = channel("glia:task:state");
const FAILURE = channel("glia:task:failure");
const SYSCALL = channel("glia:syscall");
const LOST = channel("glia:syscall:lost");

/** Publishes what one kernel does. */
export class KernelChannels implements Omit<TaskObserver, "transition"> {
  readonly #kernel: Kernel;
  readonly #leave: () => void;
  #leaveStates: (() => void) | null = null;
  /** Records of the trace ring that were seen; undefined while nobody wants syscalls. */
  #seen: number | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#leave = kernel.observe(this);
  }

  /** A slice is about to begin. */
  beforeSlice(): void {
    if (STATE.hasSubscribers) this.#leaveStates ??= this.#kernel.observe(this.#states());
    else this.#ignoreStates();
    if (!SYSCALL.hasSubscribers) this.#seen = undefined;
    else this.#seen ??= decodeTrace(this.#kernel.traceImage()).total;
  }

  /** A slice has ended. */
  afterSlice(): void {
    if (this.#seen === undefined) return;
    const { total, records } = decodeTrace(this.#kernel.traceImage());
    const fresh = total - this.#seen;
    this.#seen = total;
    const kernel = this.#kernel;
    if (fresh > records.length) LOST.publish({ kernel, records: fresh - records.length });
    for (const record of fresh === 0 ? [] : records.slice(-fresh))
      if (record.kind === "syscall") SYSCALL.publish({ kernel, ...record });
  }

  /** A task failed and nobody waited for it. */
  failed(failure: UnobservedFailure): void {
    if (FAILURE.hasSubscribers) FAILURE.publish({ kernel: this.#kernel, ...failure });
  }

  /** Publish nothing any more. */
  close(): void {
    this.#leave();
    this.#ignoreStates();
  }

  spawned(task: TaskId, parent: TaskId): void {
    if (SPAWN.hasSubscribers) SPAWN.publish({ ...this.#about(task), parent });
  }

  ended(task: TaskId, exit: Exit): void {
    if (END.hasSubscribers) END.publish({ ...this.#about(task), exit });
  }

  #about(task: TaskId): Omit<TaskSpawnMessage, "parent"> {
    const kernel = this.#kernel;
    const { path = "", name = "" } = kernel.nameOf(task) ?? {};
    const span = kernel.spanOf(task);
    return { kernel, task, path, name, traceId: span?.traceId, spanId: span?.spanId };
  }

  #states(): Pick<TaskObserver, "transition"> {
    const kernel = this.#kernel;
    return { transition: (task, from, to) => STATE.publish({ kernel, task, from, to }) };
  }

  #ignoreStates(): void {
    this.#leaveStates?.();
    this.#leaveStates = null;
  }
}
