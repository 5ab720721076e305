/** The figures of a profile that follow from its list of caches. */
import type { CacheDescription, CacheType, HardwareProfile } from "./hardware-profile.ts";
import { withoutUnknown } from "./processor.ts";

/** The smallest cache of a level and type. */
function smallest(
  caches: readonly CacheDescription[],
  level: number,
  types: readonly CacheType[],
): number | undefined {
  const sizes = caches
    .filter((cache) => cache.level === level && types.includes(cache.type))
    .map(({ bytes }) => bytes);
  return sizes.length === 0 ? undefined : Math.min(...sizes);
}

function largestLine(caches: readonly CacheDescription[]): number | undefined {
  const lines = caches.map((cache) => cache.lineBytes).filter((bytes) => bytes !== undefined);
  return lines.length === 0 ? undefined : Math.max(...lines);
}

/** Caches by level, then type, then size. */
export function sortCaches(caches: readonly CacheDescription[]): readonly CacheDescription[] {
  return [...caches].sort(
    (a, b) => a.level - b.level || (a.type < b.type ? -1 : Number(a.type > b.type)) || a.bytes - b.bytes,
  );
}

/** Sizes by level and the line; `knownLine` is used where the caches tell none. */
export function summariseCaches(
  caches: readonly CacheDescription[],
  knownLine: number | undefined,
): Pick<HardwareProfile, "cacheLineBytes" | "l1DataBytes" | "l1InstructionBytes" | "l2Bytes" | "l3Bytes"> {
  return withoutUnknown({
    cacheLineBytes: largestLine(caches) ?? knownLine,
    l1DataBytes: smallest(caches, 1, ["data", "unified"]),
    l1InstructionBytes: smallest(caches, 1, ["instruction", "unified"]),
    l2Bytes: smallest(caches, 2, ["data", "unified"]),
    l3Bytes: smallest(caches, 3, ["data", "unified"]),
  });
}
