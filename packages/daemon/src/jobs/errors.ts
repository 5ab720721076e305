/** Refusals of durable jobs. */
import { DaemonError } from "@glia-os/abi/errors/daemon";

/** A field of a request about jobs is wrong. */
export class JobMalformedError extends DaemonError<"daemon.job-malformed"> {
  constructor(field: string, is: string) {
    super("daemon.job-malformed", `The field ${field} of a job is not ${is}`, { details: { field } });
  }
}

/** A key came again with other work. */
export class JobKeyReusedError extends DaemonError<"daemon.job-key-reused"> {
  constructor(key: string, id: string) {
    super("daemon.job-key-reused", `The key ${JSON.stringify(key)} belongs to another job, ${id}`, {
      details: { key, id },
    });
  }
}

/** No job has the id. */
export class JobUnknownError extends DaemonError<"daemon.job-unknown"> {
  constructor(id: string) {
    super("daemon.job-unknown", `This node knows no job ${JSON.stringify(id.slice(0, 64))}`);
  }
}

/** The node has as many jobs as it takes. */
export class JobsFullError extends DaemonError<"daemon.jobs-full"> {
  constructor(what: string) {
    super("daemon.jobs-full", `The node has ${what} already`);
  }
}

/** Why a job that was cancelled has no result. */
export class JobCancelledError extends DaemonError<"daemon.job-cancelled"> {
  constructor(id: string) {
    super("daemon.job-cancelled", `Job ${id} was cancelled`);
  }
}

/** Why a job that took too long has no result. */
export class JobExpiredError extends DaemonError<"daemon.job-expired"> {
  constructor(id: string, deadlineMs: number) {
    super("daemon.job-expired", `Job ${id} had not ended by ${new Date(deadlineMs).toISOString()}`);
  }
}

/** Why a job that failed in a way of the node's own has no result. */
export class JobFailedError extends DaemonError<"daemon.job-failed"> {
  constructor(id: string, why: string) {
    super("daemon.job-failed", `Job ${id} failed: ${why}`);
  }
}
