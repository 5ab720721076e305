/**
 * The limits and the use of the control groups of this process.
 *
 * L1. The smallest limit of the own group and every visible ancestor counts.
 * L2. Memory of the page cache that the kernel would give up first (inactive file pages) does not count as
 *     used.
 */
import type { ResourceLimits } from "./hardware-profile.ts";
import type { Machine } from "./machine.ts";
import {
  type CgroupMembership,
  type CgroupMount,
  cgroupFolders,
  parseCgroupMembership,
  parseCgroupMemory,
  parseCgroupMounts,
  parseCpuMax,
  parseCpuQuota,
  parseMemoryStat,
} from "./parse/cgroup.ts";
import { parseInteger } from "./parse/integer.ts";

/** The folders of one controller of this process. */
interface Hierarchy {
  readonly version: 1 | 2;
  readonly folders: readonly string[];
}

/** The file names of one version of the memory controller. */
const MEMORY_FILES = {
  1: { limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes", inactive: "total_inactive_file" },
  2: { limit: "memory.max", usage: "memory.current", inactive: "inactive_file" },
} as const;

function hierarchyOf(
  controller: string,
  membership: CgroupMembership,
  mounts: readonly CgroupMount[],
): Hierarchy | undefined {
  const own = membership.controllers.get(controller);
  const mountV1 = mounts.find((mount) => mount.version === 1 && mount.controllers.includes(controller));
  if (own !== undefined && mountV1 !== undefined) return { version: 1, folders: cgroupFolders(mountV1, own) };
  const mountV2 = mounts.find((mount) => mount.version === 2);
  if (membership.unified === undefined || mountV2 === undefined) return undefined;
  return { version: 2, folders: cgroupFolders(mountV2, membership.unified) };
}

async function readHierarchies(
  machine: Machine,
): Promise<{ readonly memory: Hierarchy | undefined; readonly cpu: Hierarchy | undefined }> {
  const [cgroup, mountinfo] = await Promise.all([
    machine.readText("/proc/self/cgroup"),
    machine.readText("/proc/self/mountinfo"),
  ]);
  const membership = parseCgroupMembership(cgroup ?? "");
  const mounts = parseCgroupMounts(mountinfo ?? "");
  return {
    memory: hierarchyOf("memory", membership, mounts),
    cpu: hierarchyOf("cpu", membership, mounts),
  };
}

/** The smallest of the numbers that are there. */
function smallest(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

async function smallestMemory(
  machine: Machine,
  folders: readonly string[],
  file: string,
): Promise<number | undefined> {
  const texts = await Promise.all(folders.map((folder) => machine.readText(`${folder}/${file}`)));
  return smallest(texts.map(parseCgroupMemory));
}

async function readQuota(
  machine: Machine,
  hierarchy: Hierarchy,
  folder: string,
): Promise<number | undefined> {
  if (hierarchy.version === 2) return parseCpuMax(await machine.readText(`${folder}/cpu.max`));
  const [quota, period] = await Promise.all([
    machine.readText(`${folder}/cpu.cfs_quota_us`),
    machine.readText(`${folder}/cpu.cfs_period_us`),
  ]);
  return parseCpuQuota(quota, period);
}

/** Read the limits of this process (L1). */
export async function readLimits(machine: Machine): Promise<ResourceLimits> {
  const { memory, cpu } = await readHierarchies(machine);
  const version = memory?.version ?? cpu?.version;
  if (version === undefined) return { source: "none" };
  const folders = memory?.folders ?? [];
  const [memoryBytes, memoryHighBytes, quotas] = await Promise.all([
    smallestMemory(machine, folders, MEMORY_FILES[version].limit),
    version === 2 ? smallestMemory(machine, folders, "memory.high") : undefined,
    Promise.all((cpu?.folders ?? []).map((folder) => readQuota(machine, cpu!, folder))),
  ]);
  const cpus = smallest(quotas);
  return {
    source: version === 2 ? "cgroup-v2" : "cgroup-v1",
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(memoryHighBytes === undefined ? {} : { memoryHighBytes }),
    ...(cpus === undefined ? {} : { cpus }),
  };
}

/** Bytes this process may still take under its control groups; `undefined` when none limits it (L1, L2). */
export async function readMemoryHeadroom(machine: Machine): Promise<number | undefined> {
  const { memory } = await readHierarchies(machine);
  if (memory === undefined) return undefined;
  const names = MEMORY_FILES[memory.version];
  const rooms = memory.folders.map(async (folder) => {
    const limit = parseCgroupMemory(await machine.readText(`${folder}/${names.limit}`));
    if (limit === undefined) return undefined;
    const usage = parseInteger(await machine.readText(`${folder}/${names.usage}`));
    if (usage === undefined) return limit;
    const inactive = parseMemoryStat(await machine.readText(`${folder}/memory.stat`), names.inactive);
    return Math.max(0, limit - Math.max(0, usage - (inactive ?? 0)));
  });
  return smallest(await Promise.all(rooms));
}
