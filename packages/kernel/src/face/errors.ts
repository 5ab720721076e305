/** One class per refusal of the faces. What each changed and what to do about it stands in the code table of `abi`. */
import { KernelError } from "@glia-os/abi/errors/kernel";
import { shown } from "../shown.ts";
import type { TaskId } from "../task.ts";

/** An async program awaited something that is no syscall. */
export class ForeignAwaitError extends KernelError<"kernel.foreign-await"> {
  constructor(task: number, path: string) {
    super("kernel.foreign-await", `task ${task} (${path}) awaits something that is no syscall of its own`, {
      details: { task },
    });
  }
}

/** An async program went on, or ended, while a syscall it had made was not awaited. */
export class NotAwaitedError extends KernelError<"kernel.not-awaited"> {
  constructor(syscall: string) {
    super("kernel.not-awaited", `the task waits in ${syscall}, which it did not await before it went on`, {
      details: { syscall },
    });
  }
}

/** A kernel with an async program was run by a shell that lets no microtask run. */
export class NeedsMicrotasksError extends KernelError<"kernel.needs-microtasks"> {
  constructor() {
    super("kernel.needs-microtasks", "an async program has control, and its shell lets no microtask run");
  }
}

/** A handler of a reactor made a call that waits. */
export class ReactorBlockedError extends KernelError<"kernel.reactor-blocked"> {
  constructor(task: number, syscall: string) {
    super("kernel.reactor-blocked", `the reactor ${task} asked to wait in ${syscall}`, {
      details: { task, syscall },
    });
  }
}

/** A child of a scope failed. */
export class ScopeFailedError extends KernelError<"kernel.scope-failed"> {
  /** The failures in the order they happened; the first {@link FAILURES_KEPT}. */
  readonly failures: readonly { readonly task: TaskId; readonly error: unknown }[];
  /** How many children failed in all. */
  readonly count: number;

  constructor(failures: readonly { readonly task: TaskId; readonly error: unknown }[], count: number) {
    const first = failures[0];
    super(
      "kernel.scope-failed",
      `${count} of the scope's children failed; first task ${first?.task}: ${textOf(first?.error)}`,
      { cause: first?.error, details: { count } },
    );
    this.failures = failures;
    this.count = count;
  }
}

/** Failures a {@link ScopeFailedError} names; more are counted. */
export const FAILURES_KEPT = 64;

/** A scope was used after its end. */
export class ScopeClosedError extends KernelError<"kernel.scope-closed"> {
  constructor() {
    super("kernel.scope-closed", "the scope is closed");
  }
}

/** A scope was used by a task that did not open it. */
export class NotScopeOwnerError extends KernelError<"kernel.not-scope-owner"> {
  constructor(owner: number, caller: number) {
    super("kernel.not-scope-owner", `the scope belongs to task ${owner}; task ${caller} used it`, {
      details: { owner, caller },
    });
  }
}

function textOf(error: unknown): string {
  return shown(error instanceof Error ? error.message : error, 200);
}
