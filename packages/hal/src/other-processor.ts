/**
 * The processor where neither `/proc` nor `sysctl` describes it (Windows and the rest): what the library
 * tells.
 */
import { featuresFromFlags } from "./feature-families.ts";
import type { Machine } from "./machine.ts";
import { type Processor, withoutUnknown } from "./processor.ts";

/**
 * Read what can be read. Features beyond the architecture's base, caches and the page size stay undetermined.
 */
export async function readOtherProcessor(machine: Machine): Promise<Processor> {
  const cpu = await readLibrary(machine);
  return {
    ...featuresFromFlags(machine.architecture, undefined),
    caches: [],
    ...withoutUnknown({
      cpuModel: cpu?.brand.trim() || undefined,
      coreCount: machine.cpuTimes().length || undefined,
      physicalCoreCount: cpu !== undefined && cpu.physicalCores > 0 ? cpu.physicalCores : undefined,
    }),
  };
}

async function readLibrary(machine: Machine): Promise<{ brand: string; physicalCores: number } | undefined> {
  try {
    return await (await machine.library()).cpu();
  } catch {
    return undefined;
  }
}
