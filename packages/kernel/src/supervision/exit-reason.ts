/**
 * Why a task ended, in the vocabulary of OTP: one value that links pass on and supervisors judge.
 *
 * XR1. `normal` and the shutdown reasons are expected ends; everything else is abnormal. Only `normal` is not passed on by links.
 * XR2. A task that was killed did not end normally, whatever reason the killer wrote.
 */
import { TaskCancelledError } from "../errors.ts";
import type { Exit } from "../task.ts";
import { ExitError } from "./errors.ts";

/** An end that was asked for: by a supervisor (`shutdown`), or by a task with a word to say about it. */
export type ShutdownReason = "shutdown" | { readonly shutdown: unknown };

/** The reason of an exit. What a task threw is its reason, unless it threw an {@link ExitError}, which names one. */
export function exitReason(exit: Exit): unknown {
  switch (exit.kind) {
    case "ok":
      return "normal";
    case "failed":
      return errorReason(exit.error);
    case "cancelled":
      return exit.reason ?? "cancelled";
    default:
      return exit.reason === undefined || exit.reason === "normal" ? "killed" : exit.reason;
  }
}

/** The reason a task would end with if this error left it. */
export function errorReason(error: unknown): unknown {
  if (error instanceof ExitError) return error.reason;
  return error instanceof TaskCancelledError ? (error.reason ?? "cancelled") : error;
}

/** Whether a reason is `shutdown`, alone or with a word. */
export function isShutdown(reason: unknown): reason is ShutdownReason {
  return reason === "shutdown" || (typeof reason === "object" && reason !== null && "shutdown" in reason);
}

/** Whether an end was expected (XR1): a transient child is not restarted after one. */
export function isExpected(reason: unknown): boolean {
  return reason === "normal" || isShutdown(reason);
}
