/** One class per refusal of the kernel. What each changed and what to do about it stands in the code table of `abi`. */
import { KernelError } from "@glia-os/abi/errors/kernel";
import { type Rights, rightNames } from "@glia-os/abi/syscalls";
import { shown } from "./shown.ts";

/** A duration is not a finite number of milliseconds from 0 up. */
export class BadDurationError extends KernelError<"kernel.bad-duration"> {
  constructor(what: string, value: unknown) {
    super("kernel.bad-duration", `${what} of ${shown(value)} ms is not a duration`, { details: { what } });
  }
}

/** An option of the kernel or of an object is out of range. */
export class BadOptionError extends KernelError<"kernel.bad-option"> {
  constructor(option: string, value: unknown, range: string) {
    super("kernel.bad-option", `${option} is ${shown(value)}; it must be ${range}`, { details: { option } });
  }
}

/** A `select` names no wait, too many, or something that is none. */
export class BadSelectError extends KernelError<"kernel.bad-select"> {
  constructor(why: string) {
    super("kernel.bad-select", `select refused: ${why}`);
  }
}

/** The state machine of a task was asked for a step it does not have. */
export class BadTransitionError extends KernelError<"kernel.bad-transition"> {
  constructor(task: number, from: string, to: string) {
    super("kernel.bad-transition", `task ${task} cannot go from ${from} to ${to}`, { details: { task } });
  }
}

/** A task yielded something that is no syscall. */
export class BadYieldError extends KernelError<"kernel.bad-yield"> {
  constructor(task: number) {
    super("kernel.bad-yield", `task ${task} yielded a value that is no syscall`, { details: { task } });
  }
}

/** A call got no reply in time. */
export class CallTimeoutError extends KernelError<"kernel.call-timeout"> {
  constructor(timeoutMs: number) {
    super("kernel.call-timeout", `no reply within ${timeoutMs} ms`, { details: { timeoutMs } });
  }
}

/** Thrown at the syscall of a task that was cancelled. */
export class TaskCancelledError extends KernelError<"kernel.cancelled"> {
  /** What the canceller gave as the reason. */
  readonly reason: unknown;

  constructor(task: number, reason: unknown) {
    super("kernel.cancelled", `task ${task} was cancelled`, { details: { task } });
    this.reason = reason;
  }
}

/** A task holds as many handles as it may, or the kernel as many as it can. */
export class CapabilitySpaceFullError extends KernelError<"kernel.capability-space-full"> {
  constructor(task: number, limit: number) {
    super("kernel.capability-space-full", `task ${task} already holds ${limit} handles`, {
      details: { limit },
    });
  }
}

/** A handle was dropped, revoked, never existed, or belongs to another task. */
export class DeadHandleError extends KernelError<"kernel.dead-handle"> {
  constructor(handle: unknown, task: number) {
    super("kernel.dead-handle", `${shown(handle)} is no live handle of task ${task}`, { details: { task } });
  }
}

/** A call was answered a second time. */
export class DoubleReplyError extends KernelError<"kernel.double-reply"> {
  constructor(from: number) {
    super("kernel.double-reply", `the call of task ${from} was answered before`, { details: { from } });
  }
}

/** A task that is being ended, by a kill or its own exit, tried to wait. */
export class TaskKilledError extends KernelError<"kernel.killed"> {
  constructor(task: number) {
    super("kernel.killed", `task ${task} is being ended and cannot wait`, { details: { task } });
  }
}

/** A reply came after its caller stopped waiting. */
export class LateReplyError extends KernelError<"kernel.late-reply"> {
  constructor(from: number) {
    super("kernel.late-reply", `task ${from} no longer waits for this reply`, { details: { from } });
  }
}

/** Nobody can receive from the mailbox any more. */
export class MailboxClosedError extends KernelError<"kernel.mailbox-closed"> {
  constructor() {
    super("kernel.mailbox-closed", "the mailbox has no receiver left");
  }
}

/** The mailbox holds as many messages as it may and refuses more. */
export class MailboxFullError extends KernelError<"kernel.mailbox-full"> {
  constructor(capacity: number) {
    super("kernel.mailbox-full", `the mailbox holds ${capacity} messages already`, { details: { capacity } });
  }
}

/** A call was pushed out of a mailbox that drops its oldest message. */
export class MessageDroppedError extends KernelError<"kernel.message-dropped"> {
  constructor() {
    super("kernel.message-dropped", "the call was dropped from a full mailbox");
  }
}

/** A capability lacks a right. */
export class MissingRightError extends KernelError<"kernel.missing-right"> {
  constructor(handle: number, needed: Rights, held: Rights) {
    const names = (set: Rights) => rightNames(set).join(", ") || "none";
    super(
      "kernel.missing-right",
      `handle ${handle} needs the right ${names(needed)}; it has ${names(held)}`,
      {
        details: { handle, needed: names(needed), held: names(held) },
      },
    );
  }
}

/** A reply was given to something that is no call. */
export class NotACallError extends KernelError<"kernel.not-a-call"> {
  constructor() {
    super("kernel.not-a-call", "the first argument of reply is no call object");
  }
}

/** What was to be spawned is no generator function. */
export class NotAProgramError extends KernelError<"kernel.not-a-program"> {
  constructor(program: unknown) {
    super("kernel.not-a-program", `a program must be a generator function, not ${describe(program)}`);
  }
}

/** A task tried to end one that it did not spawn. */
export class NotParentError extends KernelError<"kernel.not-parent"> {
  constructor(task: number, target: number) {
    super("kernel.not-parent", `task ${task} did not spawn task ${target}`, { details: { task, target } });
  }
}

/** A blocking syscall was made without `yield*`. */
export class OperationNotUsedError extends KernelError<"kernel.operation-not-used"> {
  constructor(syscall: string) {
    super("kernel.operation-not-used", `${syscall} was called without yield*`, { details: { syscall } });
  }
}

/** One operation was given to `yield*` twice. */
export class OperationReusedError extends KernelError<"kernel.operation-reused"> {
  constructor() {
    super("kernel.operation-reused", "this operation was performed before");
  }
}

/** A syscall was made while no task, or another one, runs. */
export class OutsideTaskError extends KernelError<"kernel.outside-task"> {
  constructor(syscall: string) {
    super("kernel.outside-task", `${syscall} was called while no task runs`, { details: { syscall } });
  }
}

/** A slice was started inside a slice. */
export class ReentrantSliceError extends KernelError<"kernel.reentrant"> {
  constructor() {
    super("kernel.reentrant", "runSlice was called while a slice runs");
  }
}

/** A resource was closed: by somebody who holds it, or from outside. */
export class ResourceClosedError extends KernelError<"kernel.resource-closed"> {
  constructor(name: string) {
    super("kernel.resource-closed", `the resource ${name} is closed`, { details: { name } });
  }
}

/** The kernel is ending and takes no new tasks. */
export class ShuttingDownError extends KernelError<"kernel.shutting-down"> {
  constructor() {
    super("kernel.shutting-down", "the kernel is shutting down");
  }
}

/** A task threw something that is no error. */
export class ThrewNonErrorError extends KernelError<"kernel.threw-non-error"> {
  constructor(task: number, thrown: unknown) {
    super("kernel.threw-non-error", `task ${task} threw ${describe(thrown)}`, {
      cause: thrown,
      details: { task },
    });
  }
}

/** As many tasks live as may. */
export class TooManyTasksError extends KernelError<"kernel.too-many-tasks"> {
  constructor(limit: number) {
    super("kernel.too-many-tasks", `${limit} tasks live already`, { details: { limit } });
  }
}

/** No task has this id, or its end was forgotten. */
export class UnknownTaskError extends KernelError<"kernel.unknown-task"> {
  constructor(id: unknown) {
    super("kernel.unknown-task", `no task has the id ${shown(id)}`);
  }
}

/** A task tried to wait for its own end. */
export class WaitOnSelfError extends KernelError<"kernel.wait-on-self"> {
  constructor(task: number) {
    super("kernel.wait-on-self", `task ${task} cannot wait for itself`, { details: { task } });
  }
}

/** A handle names an object of another kind. */
export class WrongObjectError extends KernelError<"kernel.wrong-object"> {
  constructor(handle: number, expected: string, actual: string) {
    super("kernel.wrong-object", `handle ${handle} names a ${actual}, not a ${expected}`, {
      details: { expected },
    });
  }
}

function describe(value: unknown): string {
  if (typeof value === "string") return `the text ${JSON.stringify(value.slice(0, 80))}`;
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" ? "a function" : shown(value);
}
