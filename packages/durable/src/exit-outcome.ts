/** How the end of a root task is recorded. */
import { type Exit, TaskCancelledError, TaskKilledError } from "@glia-os/kernel";
import { encodeOutcome, failure, type Outcome } from "./record.ts";

/** The outcome of an exit, in a form of at most `limit` bytes that can be recorded: a result that cannot be is a failure that says so. */
export function outcomeOfExit(exit: Exit, limit: number): Outcome {
  const outcome = outcomeOf(exit);
  try {
    encodeOutcome(outcome, limit);
    return outcome;
  } catch (error) {
    return failure(error);
  }
}

function outcomeOf(exit: Exit): Outcome {
  if (exit.kind === "ok") return { failed: false, value: exit.value };
  if (exit.kind === "failed") return failure(exit.error);
  const error = exit.kind === "cancelled" ? new TaskCancelledError(0, exit.reason) : new TaskKilledError(0);
  return { failed: true, error: { ...error.toRecord(), details: {} } };
}
