/** The functions of WASI preview 1 that may suspend a guest; the pipeline reads this list, so it stands alone. */

/** The import module of WASI preview 1. */
export const WASI_MODULE = "wasi_snapshot_preview1";

/** As `module/function`: waiting for a clock, and giving up the processor. */
export const WASI_SUSPENDING: readonly string[] = [
  `${WASI_MODULE}/poll_oneoff`,
  `${WASI_MODULE}/sched_yield`,
];
