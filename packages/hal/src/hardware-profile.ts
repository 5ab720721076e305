/**
 * The description of one machine. Plain data: it survives JSON.
 *
 * P1. A fact that could not be read is absent. No field carries a default that merely looks plausible.
 */
import type { Architecture } from "./architecture.ts";
import type { FeatureKnowledge } from "./feature.ts";
import type { WasmFeatures } from "./wasm/feature-names.ts";

/** What a cache holds. */
export type CacheType = "data" | "instruction" | "unified";

/** One kind of cache of a machine. Cores of different kinds may bring several of one level. */
export interface CacheDescription {
  /** 1 is nearest to the core. */
  readonly level: number;
  readonly type: CacheType;
  /** Size of one instance in bytes. */
  readonly bytes: number;
  /** Coherency line in bytes. */
  readonly lineBytes?: number;
  /** Ways of associativity. */
  readonly ways?: number;
  /** Logical processors that share one instance. */
  readonly sharedBy?: number;
}

/** What a control group allows this process. An absent field is not limited. */
export interface ResourceLimits {
  /**
   * Where the limits were read: the memory controller's hierarchy, or `none` where there are no control
   * groups.
   */
  readonly source: "cgroup-v1" | "cgroup-v2" | "none";
  /** Hard memory limit in bytes: beyond it the kernel kills. The smallest of the group and its ancestors. */
  readonly memoryBytes?: number;
  /** Soft memory limit in bytes (`memory.high`): beyond it the kernel throttles. */
  readonly memoryHighBytes?: number;
  /**
   * Processor time per time, in processors; may be fractional. The smallest quota of the group and its
   * ancestors.
   */
  readonly cpus?: number;
}

/** What is known about a machine (P1). */
export interface HardwareProfile extends FeatureKnowledge {
  readonly architecture: Architecture;
  /** The processor's name as the system or the description gives it. */
  readonly cpuModel?: string;
  /** Logical processors of the machine. */
  readonly coreCount?: number;
  /** Physical cores of the machine. */
  readonly physicalCoreCount?: number;
  /** Processors this process may use at once: affinity and quota applied, rounded up, at least 1. */
  readonly effectiveCoreCount?: number;
  /** Memory of the machine in bytes. */
  readonly memoryBytes?: number;
  /** Memory this process may use in bytes: the smaller of the machine's and the hard limit. */
  readonly effectiveMemoryBytes?: number;
  readonly limits: ResourceLimits;
  /** Largest coherency line of any cache in bytes: what to pad by. */
  readonly cacheLineBytes?: number;
  /** Size of a page of virtual memory in bytes. */
  readonly pageBytes?: number;
  /**
   * Level 1 data cache of one core in bytes; the smallest where cores differ, so that a tile fits everywhere.
   */
  readonly l1DataBytes?: number;
  /** Level 1 instruction cache of one core in bytes; the smallest where cores differ. */
  readonly l1InstructionBytes?: number;
  /** One level 2 cache in bytes; the smallest where they differ. */
  readonly l2Bytes?: number;
  /** One level 3 cache in bytes; the smallest where they differ. */
  readonly l3Bytes?: number;
  /** Every kind of cache, by level and type. Empty when none could be read. */
  readonly caches: readonly CacheDescription[];
  /** Measured width of scalable vectors (SVE) in bits. */
  readonly vectorBits?: number;
  /** Whether a hypervisor announces itself. Absent where the system does not say. */
  readonly virtualised?: boolean;
  /**
   * Whether the process runs translated from another architecture (Rosetta 2). Absent where the system does
   * not say.
   */
  readonly translated?: boolean;
  /**
   * WebAssembly features of this process, found by running. Absent for a described target without an engine.
   */
  readonly wasm?: WasmFeatures;
}
