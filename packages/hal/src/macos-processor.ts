/** The processor as macOS describes it, through `sysctl`. */
import { featuresFromFlags } from "./feature-families.ts";
import type { Machine } from "./machine.ts";
import { parseSysctl, sysctlCaches, sysctlFlag, sysctlFlags, sysctlInteger } from "./parse/sysctl.ts";
import { type Processor, withoutUnknown } from "./processor.ts";

const NAMES = ["hw", "machdep.cpu", "kern.hv_vmm_present", "sysctl.proc_translated"] as const;

/** Read everything. */
export async function readMacosProcessor(machine: Machine): Promise<Processor> {
  const values = parseSysctl((await machine.run("/usr/sbin/sysctl", NAMES)) ?? "");
  return {
    ...featuresFromFlags(machine.architecture, sysctlFlags(values)),
    caches: sysctlCaches(values),
    ...withoutUnknown({
      cpuModel: values.get("machdep.cpu.brand_string") || undefined,
      coreCount: sysctlInteger(values, "hw.logicalcpu_max") ?? sysctlInteger(values, "hw.ncpu"),
      physicalCoreCount:
        sysctlInteger(values, "hw.physicalcpu_max") ?? sysctlInteger(values, "hw.physicalcpu"),
      memoryBytes: sysctlInteger(values, "hw.memsize"),
      cacheLineBytes: sysctlInteger(values, "hw.cachelinesize"),
      pageBytes: sysctlInteger(values, "hw.pagesize"),
      virtualised: sysctlFlag(values, "kern.hv_vmm_present"),
      translated: sysctlFlag(values, "sysctl.proc_translated"),
    }),
  };
}
