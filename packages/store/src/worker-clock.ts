/** The real clock of a store worker. The only place of this package that reads the time of the machine. */
import type { Clock } from "@glia-os/abi/ports";

const NANOSECONDS_PER_MILLISECOND = 1e6;

/** Monotonic time of this process and the wall clock of this machine. */
export const workerClock: Clock = {
  monotonicMs: () => Number(process.hrtime.bigint()) / NANOSECONDS_PER_MILLISECOND,
  wallMs: () => Date.now(),
};
