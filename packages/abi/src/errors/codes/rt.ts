/** Codes of the `rt` namespace. */
export const RT_CODES = {
  "rt.asleep": {
    retryable: true,
    changed: "Nothing: the core goes on sleeping.",
    fix: "Wake the core by one of its wake sources first.",
  },
  "rt.bad-block": {
    retryable: false,
    changed: "Nothing: no block was freed.",
    fix: "Free exactly the offsets that this pool's alloc returned.",
  },
  "rt.bad-image": {
    retryable: false,
    changed: "Nothing: the image was not started.",
    fix: "Instantiate the image of this version of the package, with the imports of docs/spec/embedded-image.md.",
  },
  "rt.bad-option": {
    retryable: false,
    changed: "Nothing: the value was refused before use.",
    fix: "Pass a value in the range the message names.",
  },
  "rt.bad-reading": {
    retryable: false,
    changed: "Nothing: the trigger keeps its state.",
    fix: "Pass what the sensor read, in the unit and range the message names, or undefined when it read nothing.",
  },
  "rt.bad-transition": {
    retryable: false,
    changed: "Nothing: the mode stays as it was.",
    fix: "Go through a mode from which the wanted one can be entered; docs/rt.md has the table.",
  },
  "rt.double-free": {
    retryable: false,
    changed: "Nothing: the block is free, as before.",
    fix: "Free each block once; look for two owners of one offset.",
  },
  "rt.memory-lost": {
    retryable: false,
    changed: "Nothing: what the memory held was lost when the power went.",
    fix: "Start the program anew; keep what must survive a shutdown somewhere else.",
  },
  "rt.overflow": {
    retryable: false,
    changed: "Nothing: the block is still allocated, and what lies behind it may be damaged.",
    fix: "Find the write past the end of the block; rebuild the pool, as its contents cannot be trusted.",
  },
  "rt.pool-exhausted": {
    retryable: true,
    changed: "Nothing: no block was taken.",
    fix: "Free blocks first, or make the pool larger.",
  },
  "rt.too-large": {
    retryable: false,
    changed: "Nothing: no block was taken.",
    fix: "Ask for less, or make the pool larger: this one could not give so much even when empty.",
  },
} as const;
