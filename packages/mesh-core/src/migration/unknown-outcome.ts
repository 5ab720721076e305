/** What a failure says about a change of a row: that it was refused, or nothing. */
import { errorCodeOf } from "@glia-os/abi/errors";

/** Codes after which a change may have been made although its answer did not come. Every other refusal changed nothing. */
const UNKNOWN_OUTCOMES: ReadonlySet<string | undefined> = new Set([
  undefined,
  "abi.unexpected",
  "mesh.anchor-unreachable",
  "mesh.call-timeout",
  "mesh.peer-unreachable",
  "mesh.stopped",
  "mesh.too-many-calls",
  "store.queue-full",
  "store.worker-stopped",
  "store.write-failed",
]);

/** Whether a failed change of a row may have been made all the same. */
export function isUnknownOutcome(error: unknown): boolean {
  return UNKNOWN_OUTCOMES.has(errorCodeOf(error));
}
