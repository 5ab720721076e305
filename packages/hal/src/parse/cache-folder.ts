/**
 * One folder of `/sys/devices/system/cpu/cpuN/cache/indexM` (the kernel's
 * ABI/testing/sysfs-devices-system-cpu).
 */
import type { CacheDescription, CacheType } from "../hardware-profile.ts";
import { countCpuList } from "./cpu-list.ts";
import { parseInteger, parseSize } from "./integer.ts";

/** The files of the folder this parser reads. */
export const CACHE_FILES = [
  "level",
  "type",
  "size",
  "coherency_line_size",
  "ways_of_associativity",
  "shared_cpu_list",
] as const;

/** Contents by file name; what could not be read is left out. */
export type CacheFolder = Readonly<Partial<Record<(typeof CACHE_FILES)[number], string>>>;

const TYPES: Readonly<Record<string, CacheType>> = {
  Data: "data",
  Instruction: "instruction",
  Unified: "unified",
};

/**
 * The cache of a folder; `undefined` when its level, type or size is missing. Many ARM virtual machines give
 * no size.
 */
export function parseCacheFolder(folder: CacheFolder): CacheDescription | undefined {
  const level = parseInteger(folder.level);
  const typeName = folder.type?.trim() ?? "";
  const type = Object.hasOwn(TYPES, typeName) ? TYPES[typeName] : undefined;
  const bytes = parseSize(folder.size);
  if (!level || type === undefined || !bytes) return undefined;
  const lineBytes = parseInteger(folder.coherency_line_size);
  const ways = parseInteger(folder.ways_of_associativity);
  const sharedBy = folder.shared_cpu_list === undefined ? undefined : countCpuList(folder.shared_cpu_list);
  return {
    level,
    type,
    bytes,
    ...(lineBytes ? { lineBytes } : {}),
    ...(ways ? { ways } : {}),
    ...(sharedBy ? { sharedBy } : {}),
  };
}
