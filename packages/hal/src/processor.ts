/**
 * What one operating system's reader finds out about the processor and memory; the rest of a profile is
 * common.
 */
import type { FeatureKnowledge } from "./feature.ts";
import type { CacheDescription } from "./hardware-profile.ts";

/** Facts of one machine; what could not be read is absent. */
export interface Processor extends FeatureKnowledge {
  readonly cpuModel?: string;
  readonly coreCount?: number;
  readonly physicalCoreCount?: number;
  readonly memoryBytes?: number;
  readonly cacheLineBytes?: number;
  readonly pageBytes?: number;
  readonly caches: readonly CacheDescription[];
  readonly vectorBits?: number;
  readonly virtualised?: boolean;
  readonly translated?: boolean;
}

/** An object without its undefined fields, as `exactOptionalPropertyTypes` wants optional facts. */
export function withoutUnknown<Facts extends object>(
  facts: Facts,
): { [Key in keyof Facts]?: Exclude<Facts[Key], undefined> } {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [Key in keyof Facts]?: Exclude<Facts[Key], undefined> };
}
