/**
 * Detection of the machine a process runs on.
 *
 * H1. Detection never fails: what cannot be read is absent from the profile.
 * H2. A detector reads the machine once; after `invalidate` the next `detect` reads it anew, also when a
 *     reading was under way.
 * H3. A profile is frozen: it is shared by everyone who asked.
 */
import { sortCaches, summariseCaches } from "./cache-summary.ts";
import { readLimits } from "./cgroup-limits.ts";
import type { HardwareProfile } from "./hardware-profile.ts";
import { readLinuxProcessor } from "./linux-processor.ts";
import { createLocalMachine, type Machine } from "./machine.ts";
import { readMacosProcessor } from "./macos-processor.ts";
import { readOtherProcessor } from "./other-processor.ts";
import { type Processor, withoutUnknown } from "./processor.ts";
import { detectWasmFeatures } from "./wasm/detect-wasm-features.ts";
import type { WasmFeatures } from "./wasm/feature-names.ts";

/** Remembers one machine's profile. */
export interface HardwareDetector {
  /** The profile; the same object until {@link HardwareDetector.invalidate}. */
  detect(): Promise<HardwareProfile>;
  /** Forget the profile, for example after processors were added or limits changed. */
  invalidate(): void;
}

function readProcessor(machine: Machine): Promise<Processor> {
  if (machine.platform === "linux" || machine.platform === "android") return readLinuxProcessor(machine);
  return machine.platform === "darwin" ? readMacosProcessor(machine) : readOtherProcessor(machine);
}

async function readProfile(
  machine: Machine,
  probeWasm: () => Promise<WasmFeatures>,
): Promise<HardwareProfile> {
  const [processor, limits, wasm] = await Promise.all([
    readProcessor(machine),
    readLimits(machine),
    probeWasm(),
  ]);
  const { features, undetermined, caches, ...facts } = processor;
  const memoryBytes = facts.memoryBytes ?? (machine.totalMemoryBytes() || undefined);
  const available = Math.max(1, machine.availableParallelism());
  const profile: HardwareProfile = {
    architecture: machine.architecture,
    ...facts,
    effectiveCoreCount: Math.max(1, Math.min(available, Math.ceil(limits.cpus ?? available))),
    features: Object.freeze(features),
    undetermined: Object.freeze(undetermined),
    limits: Object.freeze(limits),
    caches: Object.freeze(sortCaches(caches).map((cache) => Object.freeze(cache))),
    wasm: Object.freeze(wasm),
    ...summariseCaches(caches, facts.cacheLineBytes),
    ...withoutUnknown({
      memoryBytes,
      effectiveMemoryBytes: memoryBytes && Math.min(memoryBytes, limits.memoryBytes ?? memoryBytes),
    }),
  };
  return Object.freeze(profile);
}

/**
 * A detector for a machine, with its own memory (H2).
 * @param machine what to read; default: the local one.
 * @param probeWasm finds the WebAssembly features; default: by running modules in this process.
 */
export function createHardwareDetector(
  machine: Machine = createLocalMachine(),
  probeWasm: () => Promise<WasmFeatures> = detectWasmFeatures,
): HardwareDetector {
  let profile: Promise<HardwareProfile> | undefined;
  return {
    detect: () => (profile ??= readProfile(machine, probeWasm)),
    invalidate: () => {
      profile = undefined;
    },
  };
}

let local: HardwareDetector | undefined;

function localDetector(): HardwareDetector {
  local ??= createHardwareDetector();
  return local;
}

/**
 * The profile of the machine this process runs on, read once per thread (H1 to H3). The first call takes some
 * 50 ms, a third of them for the WebAssembly probes.
 */
export function detectHardware(): Promise<HardwareProfile> {
  return localDetector().detect();
}

/** Make the next {@link detectHardware} read the machine anew. */
export function invalidateHardware(): void {
  localDetector().invalidate();
}
