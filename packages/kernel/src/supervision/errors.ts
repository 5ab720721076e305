/** One class per refusal of supervision. What each changed and what to do about it stands in the code table of `abi`. */
import { KernelError } from "@glia-os/abi/errors/kernel";
import { shown } from "../shown.ts";

function text(value: unknown): string {
  return (
    typeof value === "object" && value !== null && "shutdown" in value
      ? `shutdown: ${shown(value.shutdown)}`
      : shown(value)
  ).slice(0, 200);
}

/** Thrown by a task that wants to end with a reason of its own choice (`exitWith`). */
export class ExitError extends KernelError<"kernel.exit"> {
  /** The exit reason: what links pass on and supervisors judge. */
  readonly reason: unknown;

  constructor(reason: unknown) {
    super("kernel.exit", `the task ended itself: ${text(reason)}`);
    this.reason = reason;
  }
}

/** A call would wait for itself: every task of the cycle waits for the next one's reply. */
export class DeadlockError extends KernelError<"kernel.deadlock"> {
  constructor(cycle: readonly string[]) {
    super("kernel.deadlock", `the call would never return: ${cycle.join(" -> ")}`, { details: { cycle } });
  }
}

/** No live task registered this name. */
export class UnknownNameError extends KernelError<"kernel.unknown-name"> {
  constructor(name: string) {
    super("kernel.unknown-name", `nothing is registered as ${shown(name)}`, {
      details: { name: shown(name) },
    });
  }
}

/** The name belongs to another capability. */
export class NameTakenError extends KernelError<"kernel.name-taken"> {
  constructor(name: string, owner: number) {
    super("kernel.name-taken", `${name} is registered by task ${owner}`, { details: { name, owner } });
  }
}

/** A name that the calling task did not register. */
export class NotNameOwnerError extends KernelError<"kernel.not-name-owner"> {
  constructor(name: string) {
    super("kernel.not-name-owner", `the calling task did not register ${name}`, { details: { name } });
  }
}

/** As many links, monitors, notices or names as there may be. */
export class RelationLimitError extends KernelError<"kernel.relation-limit"> {
  constructor(what: string, limit: number) {
    super("kernel.relation-limit", `${limit} ${what} is the most`, { details: { what, limit } });
  }
}

/** The server ended before it answered. */
export class ServerEndedError extends KernelError<"kernel.server-ended"> {
  /** Why it ended. */
  readonly reason: unknown;

  constructor(server: number, reason: unknown) {
    super("kernel.server-ended", `task ${server} ended before it replied: ${text(reason)}`, {
      details: { server },
    });
    this.reason = reason;
  }
}

/** A callback returned something that is no result of a server. */
export class BadServerResultError extends KernelError<"kernel.bad-server-result"> {
  constructor(callback: string) {
    super("kernel.bad-server-result", `${callback} returned neither reply, noReply nor stop`, {
      details: { callback },
    });
  }
}

/** A message for which a server or supervisor has no handler. */
export class NoHandlerError extends KernelError<"kernel.no-handler"> {
  constructor(what: string) {
    super("kernel.no-handler", `there is no handler for ${what}`, { details: { what } });
  }
}

/** A child, server or supervisor ended before it was ready. */
export class StartFailedError extends KernelError<"kernel.start-failed"> {
  /** Why. */
  readonly reason: unknown;

  constructor(what: string, reason: unknown) {
    super("kernel.start-failed", `${what} did not start: ${text(reason)}`, {
      details: { what },
      cause: reason,
    });
    this.reason = reason;
  }
}

/** A supervisor's options or a child's specification contradict themselves or are out of range. */
export class BadChildSpecError extends KernelError<"kernel.bad-child-spec"> {
  constructor(why: string) {
    super("kernel.bad-child-spec", `supervisor refused: ${why}`);
  }
}

/** What was answered to the question how a child goes on is no choice, or not one for this child. */
export class BadRestartChoiceError extends KernelError<"kernel.bad-restart-choice"> {
  constructor(why: string) {
    super("kernel.bad-restart-choice", `the choice of a restart was refused: ${why}`, { details: { why } });
  }
}

/** A supervisor has no child of this name. */
export class UnknownChildError extends KernelError<"kernel.unknown-child"> {
  constructor(child: string | number) {
    super("kernel.unknown-child", `the supervisor has no child ${child}`, { details: { child } });
  }
}

/** What was asked does not fit the state of the child. */
export class ChildStateError extends KernelError<"kernel.child-state"> {
  constructor(child: string, state: string, asked: string) {
    super("kernel.child-state", `child ${child} is ${state}; it cannot be ${asked}`, {
      details: { child, state },
    });
  }
}

/** A supervisor has as many children as it may. */
export class TooManyChildrenError extends KernelError<"kernel.too-many-children"> {
  constructor(limit: number) {
    super("kernel.too-many-children", `the supervisor has ${limit} children, its limit`, {
      details: { limit },
    });
  }
}

/** A child failed again and again with the same error at the same syscall: trying again will not help. */
export class RepeatedFailureError extends KernelError<"kernel.repeated-failure"> {
  constructor(child: string, times: number, syscalls: number, reason: unknown) {
    super(
      "kernel.repeated-failure",
      `child ${child} failed ${times} times in a row after ${syscalls} syscalls: ${text(reason)}`,
      { details: { child, times, syscalls }, cause: reason },
    );
  }
}
