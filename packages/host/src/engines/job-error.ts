/** What a job failed with, on the side that waits for it. */
import type { ErrorRecord } from "@glia-os/abi/errors";
import { JobFailedError, JobNotSerialisableError, UnknownEntryError } from "./errors.ts";

/** The error for a record a worker gave. Refusals of the engine keep their class. */
export function jobError(id: string, record: ErrorRecord): Error {
  if (record.code === "host.unknown-entry")
    return new UnknownEntryError(record.message.split(" ").at(-1) ?? "");
  if (record.code === "host.job-not-serialisable")
    return new JobNotSerialisableError(`what job ${id} gave`, record.message);
  return new JobFailedError(id, record);
}
