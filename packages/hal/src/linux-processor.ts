/** The processor as Linux describes it, in `/proc` and `/sys`. */
import { featuresFromFlags } from "./feature-families.ts";
import type { CacheDescription } from "./hardware-profile.ts";
import type { Machine } from "./machine.ts";
import { parseAuxvPageBytes } from "./parse/auxv.ts";
import { CACHE_FILES, type CacheFolder, parseCacheFolder } from "./parse/cache-folder.ts";
import { countCpuList } from "./parse/cpu-list.ts";
import { parseCpuinfo } from "./parse/cpuinfo.ts";
import { parseInteger } from "./parse/integer.ts";
import { parseMeminfo } from "./parse/meminfo.ts";
import { type Processor, withoutUnknown } from "./processor.ts";

const CPU_ROOT = "/sys/devices/system/cpu";
/**
 * Processors whose cache folders are read. Kinds of core repeat long before that, and each costs some 25 file
 * reads.
 */
const CACHE_CPUS = 64;
/** Processors whose core is looked up: the kernel's own limit. */
const TOPOLOGY_CPUS = 8192;
/** Caches of one processor; real ones have 3 to 5. */
const CACHES_PER_CPU = 16;

/** Read named files of a folder. */
async function readFolder<Name extends string>(
  machine: Machine,
  folder: string,
  names: readonly Name[],
): Promise<Partial<Record<Name, string>>> {
  const entries = await Promise.all(
    names.map(async (name) => [name, await machine.readText(`${folder}/${name}`)] as const),
  );
  return Object.fromEntries(entries.filter(([, text]) => text !== undefined)) as Partial<
    Record<Name, string>
  >;
}

/** `cpu0`, `cpu1`, ... in numeric order. */
async function listCpus(machine: Machine): Promise<readonly string[]> {
  const names = (await machine.list(CPU_ROOT)).filter((name) => /^cpu\d{1,5}$/.test(name));
  return names.sort((a, b) => Number(a.slice(3)) - Number(b.slice(3)));
}

/** The distinct kinds of cache, by level and type. */
async function readCaches(machine: Machine, cpus: readonly string[]): Promise<readonly CacheDescription[]> {
  const kinds = new Map<string, CacheDescription>();
  for (const cpu of cpus.slice(0, CACHE_CPUS)) {
    const folder = `${CPU_ROOT}/${cpu}/cache`;
    const indexes = (await machine.list(folder)).filter((name) => /^index\d{1,2}$/.test(name));
    const read = indexes.slice(0, CACHES_PER_CPU).map(async (index) => {
      const files: CacheFolder = await readFolder(machine, `${folder}/${index}`, CACHE_FILES);
      return parseCacheFolder(files);
    });
    for (const cache of await Promise.all(read)) {
      if (cache !== undefined) kinds.set(JSON.stringify(cache), cache);
    }
  }
  return [...kinds.values()];
}

/** Distinct cores by the processors that share each one; `undefined` when a processor does not tell. */
async function countCores(machine: Machine, cpus: readonly string[]): Promise<number | undefined> {
  if (cpus.length === 0 || cpus.length > TOPOLOGY_CPUS) return undefined;
  const siblings = await Promise.all(
    cpus.map((cpu) => machine.readText(`${CPU_ROOT}/${cpu}/topology/thread_siblings_list`)),
  );
  // An offline processor has no topology and is no core in use.
  const told = siblings.filter((list) => list !== undefined).map((list) => list.trim());
  return told.length === 0 ? undefined : new Set(told).size;
}

/** SVE's default vector length in bytes, as set for new processes; at most what the hardware has. */
async function readVectorBits(machine: Machine): Promise<number | undefined> {
  const bytes = parseInteger(await machine.readText("/proc/sys/abi/sve_default_vector_length"));
  // 16 to 256 bytes in steps of 16 (Arm ARM, SVE vector length).
  return bytes !== undefined && bytes >= 16 && bytes <= 256 && bytes % 16 === 0 ? bytes * 8 : undefined;
}

/**
 * Whether a driver registered a neural accelerator (`/sys/class/accel`, Linux 6.2); `undefined` without a
 * readable sysfs.
 */
async function readNpu(machine: Machine): Promise<boolean | undefined> {
  if ((await machine.list("/sys/class")).length === 0) return undefined;
  return (await machine.list("/sys/class/accel")).some((name) => /^accel\d+$/.test(name));
}

/** AArch64 kernels print no product name; the library asks lscpu, which knows the part numbers. */
async function readModel(machine: Machine, named: string | undefined): Promise<string | undefined> {
  if (named !== undefined) return named;
  if (machine.architecture !== "aarch64" && machine.architecture !== "arm") return undefined;
  try {
    return (await (await machine.library()).cpu()).brand.trim() || undefined;
  } catch {
    return undefined;
  }
}

async function readPageBytes(machine: Machine): Promise<number | undefined> {
  const auxv = await machine.readBytes("/proc/self/auxv");
  return auxv && parseAuxvPageBytes(auxv, machine.wordBytes, machine.littleEndian);
}

/** Read everything. */
export async function readLinuxProcessor(machine: Machine): Promise<Processor> {
  const cpuinfo = parseCpuinfo((await machine.readText("/proc/cpuinfo")) ?? "");
  const cpus = await listCpus(machine);
  const present = countCpuList((await machine.readText(`${CPU_ROOT}/present`)) ?? "");
  const caches = await readCaches(machine, cpus);
  const npu = await readNpu(machine);
  const known = featuresFromFlags(machine.architecture, cpuinfo.flags, {
    ...(npu === undefined ? {} : { npu }),
    ...(cpuinfo.draftVectors ? { draftVectors: true } : {}),
  });
  const x86 = machine.architecture === "x86_64" || machine.architecture === "x86";
  return {
    ...known,
    caches,
    ...withoutUnknown({
      cpuModel: await readModel(machine, cpuinfo.model),
      coreCount: present || cpuinfo.processors || undefined,
      physicalCoreCount: (await countCores(machine, cpus)) ?? cpuinfo.physicalCores,
      memoryBytes: parseMeminfo((await machine.readText("/proc/meminfo")) ?? "").totalBytes,
      cacheLineBytes: cpuinfo.lineBytes,
      pageBytes: await readPageBytes(machine),
      vectorBits: known.features.includes("sve") ? await readVectorBits(machine) : undefined,
      virtualised: x86 ? cpuinfo.flags?.has("hypervisor") : undefined,
    }),
  };
}
