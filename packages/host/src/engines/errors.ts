/** One class per refusal of the engines. */
import type { ErrorRecord } from "@glia-os/abi/errors";
import { HostError } from "@glia-os/abi/errors/host";

/** Every place of a CPU budget is taken. */
export class BudgetFullError extends HostError<"host.budget-full"> {
  constructor(limit: number) {
    super("host.budget-full", `${limit} workers share this budget already`, { details: { limit } });
  }
}

/** The engine was closed. */
export class EngineClosedError extends HostError<"host.engine-closed"> {
  constructor(id: string) {
    super("host.engine-closed", `job ${id} was not finished: the engine is closed`, { details: { id } });
  }
}

/** As many jobs are in flight as the engine holds. */
export class EngineFullError extends HostError<"host.engine-full"> {
  constructor(id: string, limit: number) {
    super("host.engine-full", `job ${id} was not taken: ${limit} are in flight`, { details: { id, limit } });
  }
}

/** The job's function threw. */
export class JobFailedError extends HostError<"host.job-failed"> {
  /** What it threw, as data. */
  readonly failure: ErrorRecord;

  constructor(id: string, failure: ErrorRecord) {
    super("host.job-failed", `job ${id} failed: ${failure.message}`, {
      details: { id, code: failure.code },
    });
    this.failure = failure;
  }
}

/** The workers that ran the job died, as often as the engine tries. */
export class JobLostError extends HostError<"host.job-lost"> {
  constructor(id: string, attempts: number) {
    super("host.job-lost", `job ${id} was started ${attempts} times and its worker died each time`, {
      details: { id, attempts },
    });
  }
}

/** The worker that ran the job went over its memory limit. */
export class JobMemoryError extends HostError<"host.job-memory"> {
  constructor(id: string, limitBytes: number) {
    super("host.job-memory", `job ${id} went over ${limitBytes} bytes of memory`, {
      details: { id, limitBytes },
    });
  }
}

/** A payload or result is not plain data, or too long. */
export class JobNotSerialisableError extends HostError<"host.job-not-serialisable"> {
  constructor(what: string, why: string) {
    super("host.job-not-serialisable", `${what} cannot be passed on: ${why}`, { details: { what } });
  }
}

/** The job that hands on is over. */
export class JobOverError extends HostError<"host.job-over"> {
  constructor(id: string) {
    super("host.job-over", `job ${id} hands on a job after its own end`, { details: { id } });
  }
}

/** The job took too long. */
export class JobTimeoutError extends HostError<"host.job-timeout"> {
  constructor(id: string, timeoutMs: number) {
    super("host.job-timeout", `job ${id} was not finished after ${timeoutMs} ms`, {
      details: { id, timeoutMs },
    });
  }
}

/** An envelope has a field of the wrong shape. */
export class MalformedJobError extends HostError<"host.malformed-job"> {
  constructor(field: string, rule: string) {
    super("host.malformed-job", `the job's ${field} must be ${rule}`, { details: { field } });
  }
}

/** The engine has no function of this name. */
export class UnknownEntryError extends HostError<"host.unknown-entry"> {
  constructor(entry: string) {
    super("host.unknown-entry", `there is no job function ${entry}`, { details: { entry } });
  }
}

/** Workers do not start. */
export class WorkerFailedError extends HostError<"host.worker-failed"> {
  constructor(cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("host.worker-failed", `workers do not start: ${why}`, { cause });
  }
}
