/** The trace that the attempts of a job go on with. */
import { formatTraceparent, parseTraceparent } from "@glia-os/abi/wire";
import { BadOptionError } from "../errors.ts";
import type { Kernel } from "../kernel.ts";
import type { SchedulableJob } from "./job.ts";

/** What the job's maker named, else that of the task which submits it; undefined without either. @throws {BadOptionError} */
export function jobTrace(kernel: Kernel, { traceparent }: SchedulableJob): string | undefined {
  if (traceparent !== undefined) {
    if (parseTraceparent(traceparent) !== undefined) return traceparent;
    throw new BadOptionError("a job's traceparent", traceparent, "a W3C traceparent");
  }
  const submitter = kernel.current();
  const span = submitter === undefined ? undefined : kernel.spanOf(submitter.task);
  return span && formatTraceparent(span);
}
