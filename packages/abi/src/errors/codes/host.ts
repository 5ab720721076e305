/** Codes of the `host` namespace. */
export const HOST_CODES = {
  "host.aborted": {
    retryable: false,
    changed: "The work was asked to stop; what it had done before stands.",
    fix: "Nothing: somebody asked for this.",
  },
  "host.address-refused": {
    retryable: false,
    changed: "Nothing was sent to that address; earlier redirects of the same request were followed.",
    fix: "Use an address the client allows, or make the client with its origin, or with privateAddresses, on the list.",
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
  "host.file-failed": {
    retryable: false,
    changed: "Nothing: what the operation was to change is as it was.",
    fix: "Read the system's code in the message; check that the path exists and that this process may use it.",
  },
  "host.http-failed": {
    retryable: true,
    changed: "Unknown: the other side may have done what it was asked.",
    fix: "Repeat the request if it may happen twice; otherwise ask the other side first.",
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
  "host.job-over": {
    retryable: false,
    changed: "Nothing: the job was not queued.",
    fix: "Hand on jobs before the function returns or its promise settles.",
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
  "host.outside-root": {
    retryable: false,
    changed: "Nothing: the path was refused before anything was read or written.",
    fix: "Name files below the granted root by plain names joined by slashes, without symbolic links.",
  },
  "host.request-refused": {
    retryable: false,
    changed: "Nothing: no connection was made.",
    fix: "Leave out what the message names: the client sets it itself or does not send it.",
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
  "host.too-large": {
    retryable: false,
    changed: "Nothing was kept of what was too large; a request that was answered was performed.",
    fix: "Ask for less, or make the client or tree with a higher limit.",
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
