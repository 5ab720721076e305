/**
 * A hardware profile as lines for people, as `glia doctor` prints it.
 *
 * L1. A fact that is not in the profile is printed as `unknown`, never left out: the reader sees what was not
 *     found.
 */
import { FEATURES, hasFeature, maxVectorWidthBits } from "./feature.ts";
import type { CacheDescription, HardwareProfile } from "./hardware-profile.ts";
import { WASM_FEATURES, type WasmFeature } from "./wasm/feature-names.ts";

/** One line: a fact, its value, and where it needs one, a remark. */
export interface HardwareLine {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Bytes in the largest binary unit that leaves at least 1, with one decimal where it is not whole. */
function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return "unknown";
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

const formatCount = (count: number | undefined): string => (count === undefined ? "unknown" : String(count));

function line(label: string, value: string, note?: string): HardwareLine {
  return note === undefined ? { label, value } : { label, value, note };
}

function formatCache(cache: CacheDescription): string {
  const kind = cache.type === "unified" ? "" : cache.type === "data" ? "d" : "i";
  return `L${cache.level}${kind} ${formatBytes(cache.bytes)}`;
}

function processorLines(profile: HardwareProfile): readonly HardwareLine[] {
  const { virtualised, translated } = profile;
  const remarks = [
    virtualised ? "virtual machine" : "",
    translated ? "translated from another architecture" : "",
  ];
  const remark = remarks.filter(Boolean).join(", ") || undefined;
  const cores = profile.physicalCoreCount;
  const quota = profile.limits.cpus;
  return [
    line("architecture", profile.architecture, remark),
    line("processor", profile.cpuModel ?? "unknown"),
    line(
      "processors",
      formatCount(profile.coreCount),
      cores === undefined ? undefined : `${cores} physical cores`,
    ),
    line(
      "usable processors",
      formatCount(profile.effectiveCoreCount),
      quota === undefined
        ? undefined
        : `quota of ${Number(quota.toFixed(2))} processors (${profile.limits.source})`,
    ),
  ];
}

function memoryLines(profile: HardwareProfile): readonly HardwareLine[] {
  const { limits } = profile;
  const limit = limits.memoryBytes;
  const note = limit === undefined ? undefined : `limit of ${formatBytes(limit)} (${limits.source})`;
  const caches = profile.caches.map(formatCache).join(", ");
  return [
    line("memory", formatBytes(profile.memoryBytes)),
    line("usable memory", formatBytes(profile.effectiveMemoryBytes), note),
    line("page size", formatBytes(profile.pageBytes)),
    line("cache line", formatBytes(profile.cacheLineBytes)),
    line("caches", caches === "" ? "unknown" : caches),
  ];
}

function featureLines(profile: HardwareProfile): readonly HardwareLine[] {
  const present = FEATURES.filter((feature) => hasFeature(profile, feature) === true);
  const hidden =
    profile.undetermined.length === 0 ? undefined : `undetermined: ${profile.undetermined.join(", ")}`;
  const width = maxVectorWidthBits(profile);
  return [
    line("features", present.length === 0 ? "none known" : present.join(", "), hidden),
    line("vector width", width === undefined ? "unknown" : width === 0 ? "none" : `${width} bits`),
  ];
}

function wasmLines(profile: HardwareProfile): readonly HardwareLine[] {
  const names = Object.keys(WASM_FEATURES) as WasmFeature[];
  return names.map((name) => {
    const works = profile.wasm?.[name];
    return line(`wasm ${name}`, works === undefined ? "unknown" : works ? "yes" : "no", WASM_FEATURES[name]);
  });
}

/**
 * The profile as lines, in a fixed order: processor, memory, features, then one line per WebAssembly feature.
 */
export function describeHardware(profile: HardwareProfile): readonly HardwareLine[] {
  return [
    ...processorLines(profile),
    ...memoryLines(profile),
    ...featureLines(profile),
    ...wasmLines(profile),
  ];
}
