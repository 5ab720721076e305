/**
 * A job of an engine as a program of the kernel: the task waits while the job runs, ends with its result, and fails as it fails.
 *
 * JP1. When the task is cancelled, killed, or ended by a deadline or supervisor, its job is stopped as far as its engine can stop jobs.
 */
import type { JobEngine, JobEnvelope } from "@glia-os/abi/ports";
import type { Program } from "@glia-os/kernel";
import { awaiting, toCancelSignal } from "../cancel.ts";

/** A program for `spawn`. Each task that runs it hands in the job anew, under the id of the job, `/` and the id of the task. */
export function jobProgram<Result = unknown>(engine: JobEngine, job: JobEnvelope): Program<Result> {
  return function* runJob(sys) {
    const own = { ...job, id: `${job.id}/${sys.getTid()}` };
    return yield* sys.external<Result>(awaiting((signal) => engine.run(own, toCancelSignal(signal))));
  };
}
