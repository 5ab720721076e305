/** The output of macOS's `sysctl`: `name: value` lines (sysctl(8)). */
import type { CacheDescription, CacheType } from "../hardware-profile.ts";
import { parseInteger } from "./integer.ts";

/** Values by name. */
export type Sysctl = ReadonlyMap<string, string>;

/** Read the lines; what is not `name: value` is ignored. */
export function parseSysctl(text: string): Sysctl {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^([A-Za-z0-9_.]+): ?(.*)$/.exec(line);
    if (match !== null) values.set(match[1]!, match[2]!.trim());
  }
  return values;
}

/** A positive integer value, or `undefined`. */
export function sysctlInteger(values: Sysctl, name: string): number | undefined {
  return parseInteger(values.get(name)) || undefined;
}

/** A value of 0 or 1 as a boolean, or `undefined`. */
export function sysctlFlag(values: Sysctl, name: string): boolean | undefined {
  const value = values.get(name);
  return value === "1" ? true : value === "0" ? false : undefined;
}

/** Level, type and the name's ending of the caches sysctl reports. */
const CACHE_NAMES: readonly (readonly [number, CacheType, string])[] = [
  [1, "data", "l1dcachesize"],
  [1, "instruction", "l1icachesize"],
  [2, "unified", "l2cachesize"],
  [3, "unified", "l3cachesize"],
];

/**
 * The caches. Machines with two kinds of core report them per performance level; the plain names then repeat
 * one of them.
 */
export function sysctlCaches(values: Sysctl): readonly CacheDescription[] {
  const levels = sysctlInteger(values, "hw.nperflevels") ?? 0;
  const prefixes =
    levels > 0 ? Array.from({ length: Math.min(levels, 8) }, (_, n) => `hw.perflevel${n}.`) : ["hw."];
  const lineBytes = sysctlInteger(values, "hw.cachelinesize");
  return prefixes.flatMap((prefix) =>
    CACHE_NAMES.flatMap(([level, type, name]): CacheDescription[] => {
      const bytes = sysctlInteger(values, prefix + name);
      const sharedBy = level === 2 ? sysctlInteger(values, `${prefix}cpusperl2`) : undefined;
      if (bytes === undefined) return [];
      return [{ level, type, bytes, ...(lineBytes ? { lineBytes } : {}), ...(sharedBy ? { sharedBy } : {}) }];
    }),
  );
}

/**
 * macOS names of ARM features (`hw.optional.arm.*`) as the Linux flag names the feature table is written in.
 */
const ARM_NAMES: Readonly<Record<string, string>> = {
  "hw.optional.floatingpoint": "fp",
  "hw.optional.AdvSIMD": "asimd",
  "hw.optional.neon": "asimd",
  "hw.optional.arm.AdvSIMD": "asimd",
  "hw.optional.arm.FEAT_AES": "aes",
  "hw.optional.arm.FEAT_SHA1": "sha1",
  "hw.optional.arm.FEAT_SHA256": "sha2",
  "hw.optional.arm.FEAT_DotProd": "asimddp",
  "hw.optional.arm.FEAT_FP16": "asimdhp",
  "hw.optional.arm.FEAT_BF16": "bf16",
  "hw.optional.arm.FEAT_I8MM": "i8mm",
  "hw.optional.arm.FEAT_SVE": "sve",
  "hw.optional.arm.FEAT_SVE2": "sve2",
  "hw.optional.arm.FEAT_SME": "sme",
  "hw.optional.arm.FEAT_SME2": "sme2",
};

/** macOS names of x86 features (`machdep.cpu.features`, `leaf7_features`) that Linux spells differently. */
const X86_NAMES: Readonly<Record<string, string>> = {
  "sse4.2": "sse4_2",
  "avx1.0": "avx",
  sha: "sha_ni",
  avx512vnni: "avx512_vnni",
};

/** Flags in Linux's spelling; `undefined` when sysctl told none. */
export function sysctlFlags(values: Sysctl): ReadonlySet<string> | undefined {
  const lists = [values.get("machdep.cpu.features"), values.get("machdep.cpu.leaf7_features")];
  const words = lists.flatMap((list) => list?.toLowerCase().split(/\s+/).filter(Boolean) ?? []);
  if (words.length > 0)
    return new Set(words.map((word) => (Object.hasOwn(X86_NAMES, word) ? X86_NAMES[word]! : word)));
  if (![...values.keys()].some((name) => name.startsWith("hw.optional."))) return undefined;
  return new Set(
    Object.keys(ARM_NAMES).flatMap((name) => (values.get(name) === "1" ? [ARM_NAMES[name]!] : [])),
  );
}
