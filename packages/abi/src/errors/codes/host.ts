/** Codes of the `host` namespace. */
export const HOST_CODES = {
  "host.aborted": {
    retryable: false,
    changed: "The work was asked to stop; what it had done before stands.",
    fix: "Nothing: somebody asked for this.",
  },
  "host.already-running": {
    retryable: false,
    changed: "Nothing: the first pump goes on.",
    fix: "Run one kernel by one pump.",
  },
  "host.bad-metric": {
    retryable: false,
    changed: "Nothing was recorded.",
    fix: "Name metrics and labels by letters, digits and underscores; count finite numbers from 0 up.",
  },
  "host.bad-option": {
    retryable: false,
    changed: "Nothing: the option was refused before use.",
    fix: "Pass a value in the range the message names.",
  },
  "host.budget-full": {
    retryable: true,
    changed: "Nothing: no worker was started.",
    fix: "Close a pool that shares the budget, or give this one a budget of its own.",
  },
  "host.engine-closed": {
    retryable: false,
    changed: "The job was not run, or its worker was stopped with the engine.",
    fix: "Make a new engine.",
  },
  "host.engine-full": {
    retryable: true,
    changed: "Nothing: the job was not taken.",
    fix: "Submit again when jobs have ended, or make the engine with a higher limit.",
  },
  "host.job-failed": {
    retryable: false,
    changed: "What the job had done before it failed stands.",
    fix: "Read the message: it is what the job threw.",
  },
  "host.job-lost": {
    retryable: true,
    changed: "What the job had done before its worker died stands; nothing retries it any more.",
    fix: "Find out what ends the worker; submit the job again when it may run twice.",
  },
  "host.job-memory": {
    retryable: false,
    changed: "The worker that ran the job was stopped; what the job had done before stands.",
    fix: "Give the job less to do, or make the engine with a higher memory limit.",
  },
  "host.job-not-serialisable": {
    retryable: false,
    changed: "Nothing: the job was refused before it was queued.",
    fix: "Pass plain data: no functions, symbols, shared memory or handles.",
  },
  "host.job-timeout": {
    retryable: true,
    changed: "The worker that ran the job was stopped; what the job had done before stands.",
    fix: "Give jobs more time, or make this one shorter.",
  },
  "host.malformed-job": {
    retryable: false,
    changed: "Nothing: the job was refused before it was queued.",
    fix: "Give id, origin and entry as short texts and lineage as a list of them.",
  },
  "host.not-bytes": {
    retryable: false,
    changed: "Nothing was written.",
    fix: "Write a Uint8Array.",
  },
  "host.socket-closed": {
    retryable: false,
    changed: "What was sent before may have arrived.",
    fix: "Open a new connection.",
  },
  "host.socket-failed": {
    retryable: true,
    changed: "What was sent before may have arrived.",
    fix: "Read the cause, then open a new connection.",
  },
  "host.unhandled-failure": {
    retryable: false,
    changed: "A task failed and nobody waited for it; the kernel was shut down.",
    fix: "Wait for the task, handle the error inside it, or run with the failure policy `log`.",
  },
  "host.unknown-entry": {
    retryable: false,
    changed: "Nothing: the job did not run.",
    fix: "Name an exported function of the module that the engine was made with.",
  },
  "host.worker-failed": {
    retryable: false,
    changed: "The engine has no worker and takes no jobs.",
    fix: "Read the cause: the module of the jobs may not load, or the system refuses threads.",
  },
} as const;
