/**
 * From what a system calls a processor's features to ours.
 *
 * M1. A feature of another architecture is absent. A feature of this one is undetermined unless the flags
 *     were read or the architecture's base includes it.
 */
import type { Architecture } from "./architecture.ts";
import { type Feature, type FeatureKnowledge, sortFeatures } from "./feature.ts";

type Family = "x86" | "arm" | "riscv" | "other";
/** Whether a processor with these flags has the feature. */
type Rule = (flags: ReadonlySet<string>) => boolean;

const flag =
  (...names: readonly string[]): Rule =>
  (flags) =>
    names.some((name) => flags.has(name));
const all =
  (...names: readonly string[]): Rule =>
  (flags) =>
    names.every((name) => flags.has(name));

/** Linux's flag names (arch/x86/include/asm/cpufeatures.h). */
const X86_RULES: Partial<Record<Feature, Rule>> = {
  simd: flag("sse2"),
  crypto: flag("aes", "sha_ni", "vaes"),
  atomics: flag("cx8"),
  fpu: flag("fpu"),
  avx: flag("avx"),
  avx2: flag("avx2"),
  avx512: flag("avx512f"),
  "sse4.2": flag("sse4_2"),
  fma: flag("fma"),
  "aes-ni": flag("aes"),
  "avx512-vnni": flag("avx512_vnni"),
  "avx-vnni": flag("avx_vnni"),
  "amx-tile": flag("amx_tile"),
  "amx-int8": flag("amx_int8"),
  "amx-bf16": flag("amx_bf16"),
  "sha-ni": flag("sha_ni"),
  f16c: flag("f16c"),
  bmi2: flag("bmi2"),
  "avx512-bf16": flag("avx512_bf16"),
  "avx512-fp16": flag("avx512_fp16"),
};

/**
 * Linux's hardware capability names (arm64 elf_hwcaps and arm's HWCAP; 32-bit kernels say `neon` and `vfp`).
 */
const ARM_RULES: Partial<Record<Feature, Rule>> = {
  simd: flag("asimd", "neon"),
  sve: flag("sve"),
  sve2: flag("sve2"),
  sme: flag("sme"),
  sme2: flag("sme2"),
  crypto: flag("aes", "sha1", "sha2"),
  fpu: flag("fp", "vfp", "vfpv3", "vfpv4"),
  neon: flag("asimd", "neon"),
  dotprod: flag("asimddp"),
  i8mm: flag("i8mm"),
  bf16: flag("bf16"),
  fp16: flag("asimdhp"),
};

/** Extension names of the RISC-V manuals. `rvb` is Zba+Zbb+Zbs; `rvk` the scalar AES and SHA-2 extensions. */
const RISCV_RULES: Partial<Record<Feature, Rule>> = {
  simd: flag("v"),
  crypto: flag("zkne", "zknd", "zknh", "zvkned", "zvknha", "zvknhb", "zvkn", "zvkng", "zvknc"),
  atomics: flag("a"),
  fpu: flag("f", "d"),
  rvv: flag("v"),
  rvb: all("zba", "zbb", "zbs"),
  rvk: all("zkne", "zknd", "zknh"),
};

const RULES: Readonly<Record<Family, Partial<Record<Feature, Rule>>>> = {
  x86: X86_RULES,
  arm: ARM_RULES,
  riscv: RISCV_RULES,
  other: {},
};

/**
 * Features every processor of an architecture has: the x86-64 psABI requires SSE2; the A64 instruction set
 * has load/store exclusives, and every A64 calling convention passes floats in SIMD registers; ARM has
 * exclusives since version 6, which V8 requires.
 */
const BASE: Partial<Record<Architecture, readonly Feature[]>> = {
  x86_64: ["simd", "atomics", "fpu"],
  aarch64: ["simd", "atomics", "fpu", "neon"],
  arm: ["atomics"],
};

/** Features that exist, in some form, on any architecture. */
const COMMON: readonly Feature[] = ["simd", "npu", "crypto", "atomics", "fpu"];

function familyOf(architecture: Architecture): Family {
  if (architecture === "x86_64" || architecture === "x86") return "x86";
  if (architecture === "aarch64" || architecture === "arm") return "arm";
  return architecture === "riscv64" || architecture === "riscv32" ? "riscv" : "other";
}

/** What else the system says. */
export interface FeatureHints {
  /** Whether the system has a driver for a neural accelerator; leave out where it cannot be asked. */
  readonly npu?: boolean;
  /** A vector extension of unknown version is announced: `rvv` and `simd` stay undetermined. */
  readonly draftVectors?: boolean;
}

/**
 * The features of a processor from its flags (in Linux's spelling); without flags, from its architecture
 * alone (M1).
 */
export function featuresFromFlags(
  architecture: Architecture,
  flags: ReadonlySet<string> | undefined,
  hints: FeatureHints = {},
): FeatureKnowledge {
  const rules = RULES[familyOf(architecture)];
  const possible = new Set<Feature>([...COMMON, ...(Object.keys(rules) as Feature[])]);
  const present = new Set<Feature>(BASE[architecture] ?? []);
  const undetermined = new Set<Feature>();
  for (const feature of possible) {
    if (present.has(feature)) continue;
    const verdict = judge(feature, rules[feature], flags, hints);
    if (verdict === undefined) undetermined.add(feature);
    else if (verdict) present.add(feature);
  }
  return { features: sortFeatures(present), undetermined: sortFeatures(undetermined) };
}

function judge(
  feature: Feature,
  rule: Rule | undefined,
  flags: ReadonlySet<string> | undefined,
  hints: FeatureHints,
): boolean | undefined {
  if (feature === "npu") return hints.npu;
  if (hints.draftVectors && (feature === "rvv" || feature === "simd")) return undefined;
  return flags === undefined || rule === undefined ? undefined : rule(flags);
}
