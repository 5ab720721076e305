/** Codes of the `sim` namespace. */
export const SIM_CODES = {
  "sim.bad-fault": {
    retryable: false,
    changed: "Nothing: the simulation was not started.",
    fix: "Take faults from a result's `faults`, or follow the form of the type Fault.",
  },
  "sim.bad-option": {
    retryable: false,
    changed: "Nothing: the value was refused before use.",
    fix: "Pass a value in the range the message names.",
  },
  "sim.bad-scenario": {
    retryable: false,
    changed: "Nothing: the simulation was not started.",
    fix: "Pass a kernel program (a generator function), or a function that sets a world up and returns its state.",
  },
  "sim.disk-failure": {
    retryable: true,
    changed: "Unknown, as on a real disk: what was written and not flushed may be there in part.",
    fix: "Treat it as the failure of a disk: stop accepting writes, or start again from what was flushed.",
  },
  "sim.unknown-scenario": {
    retryable: false,
    changed: "Nothing: the simulation was not started.",
    fix: "Take a name the message lists, or pass a list of faults.",
  },
} as const;
