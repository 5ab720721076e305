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
  "host.unhandled-failure": {
    retryable: false,
    changed: "A task failed and nobody waited for it; the kernel was shut down.",
    fix: "Wait for the task, handle the error inside it, or run with the failure policy `log`.",
  },
} as const;
