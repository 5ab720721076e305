/** How many processors this process may use at once: what the system offers, cut by the quota of its control groups. */
import { availableParallelism } from "node:os";
import { detectHardware } from "@glia-os/hal";

/** At least 1. Reads the machine on the first call, about 50 ms. */
export async function effectiveProcessors(): Promise<number> {
  const { cpus = Number.POSITIVE_INFINITY } = (await detectHardware()).limits;
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(cpus)));
}
