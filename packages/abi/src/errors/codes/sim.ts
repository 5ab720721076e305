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
} as const;
