/** How the end of a root task is recorded. */
import { type Exit, TaskCancelledError, TaskKilledError } from "@glia-os/kernel";
import { encodeRecord, failure, KIND, type Outcome } from "./record.ts";

/** The outcome of an exit, in a form that can be recorded: a result that cannot be is a failure that says so. */
export function outcomeOfExit(exit: Exit): Outcome {
  const outcome = outcomeOf(exit);
  try {
    encodeRecord(1, { kind: KIND.exit, outcome });
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
