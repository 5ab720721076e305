/**
 * Hardware features: what a processor offers beyond its base instruction set.
 *
 * F1. A feature's bit number never changes and is never reused; bits 0 to 17 are those of the seeds. Nodes
 *     exchange the bits.
 * F2. A feature is present, absent or undetermined. Undetermined is never reported as absent or present.
 */

/**
 * Each feature's bit number. `simd`: vector instructions of at least 128 bits. `crypto`: any instructions for
 * AES or SHA. `atomics`: single-instruction read-modify-write or load/store exclusive. `npu`: a neural
 * accelerator the system has a driver for.
 */
export const FEATURE_BITS = {
  simd: 0,
  sve: 1,
  sve2: 2,
  sme: 3,
  npu: 4,
  crypto: 5,
  atomics: 6,
  fpu: 7,
  neon: 8,
  avx: 9,
  avx2: 10,
  avx512: 11,
  "sse4.2": 12,
  fma: 13,
  "aes-ni": 14,
  rvv: 15,
  rvb: 16,
  rvk: 17,
  "avx512-vnni": 18,
  "avx-vnni": 19,
  "amx-tile": 20,
  "amx-int8": 21,
  "amx-bf16": 22,
  "sha-ni": 23,
  f16c: 24,
  bmi2: 25,
  dotprod: 26,
  i8mm: 27,
  bf16: 28,
  fp16: 29,
  sme2: 30,
  helium: 31,
  "avx512-bf16": 32,
  "avx512-fp16": 33,
} as const;

/** The name of a hardware feature. */
export type Feature = keyof typeof FEATURE_BITS;

/** Every feature, by bit number. */
export const FEATURES: readonly Feature[] = Object.keys(FEATURE_BITS) as Feature[];

/**
 * What is known of a processor's features (F2). Both lists are sorted by bit number; a feature in neither
 * list is absent.
 */
export interface FeatureKnowledge {
  /** Features that are there. */
  readonly features: readonly Feature[];
  /** Features nobody could tell. */
  readonly undetermined: readonly Feature[];
}

/** The features of a set, sorted by bit number. */
export function sortFeatures(features: Iterable<Feature>): readonly Feature[] {
  return [...new Set(features)].sort((a, b) => FEATURE_BITS[a] - FEATURE_BITS[b]);
}

/** Whether a string names a feature. */
export function isFeature(name: string): name is Feature {
  return Object.hasOwn(FEATURE_BITS, name);
}

/** Whether the processor has a feature: `undefined` when that could not be determined. */
export function hasFeature(known: FeatureKnowledge, feature: Feature): boolean | undefined {
  if (known.features.includes(feature)) return true;
  return known.undetermined.includes(feature) ? undefined : false;
}

/** The features as a bit set, bit n for the feature with bit number n (F1). */
export function encodeFeatures(features: Iterable<Feature>): bigint {
  let bits = 0n;
  for (const feature of features) bits |= 1n << BigInt(FEATURE_BITS[feature]);
  return bits;
}

/** The features of a bit set. Bits this build does not know are left out; a negative number has none. */
export function decodeFeatures(bits: bigint): readonly Feature[] {
  if (bits < 0n) return [];
  return FEATURES.filter((feature) => ((bits >> BigInt(FEATURE_BITS[feature])) & 1n) === 1n);
}

/**
 * Width in bits of each family's registers; SVE, SVE2, SME and RVV have at least this (their architectures'
 * minimum).
 */
const WIDTHS: readonly (readonly [Feature, number])[] = [
  ["avx512", 512],
  ["avx2", 256],
  ["avx", 256],
  ["sse4.2", 128],
  ["sve", 128],
  ["rvv", 128],
  ["neon", 128],
  ["helium", 128],
  ["simd", 128],
];

/**
 * The widest vector register in bits; 0 for a processor without vectors; `undefined` when a feature that
 * could be wider is undetermined. A measured width of scalable vectors (`vectorBits`) wins over the minimum
 * their architecture guarantees.
 */
export function maxVectorWidthBits(
  known: FeatureKnowledge & { readonly vectorBits?: number },
): number | undefined {
  const present = WIDTHS.filter(([feature]) => known.features.includes(feature)).map(([, bits]) => bits);
  const widest = Math.max(0, known.vectorBits ?? 0, ...present);
  const hidden = WIDTHS.some(([feature, bits]) => bits > widest && known.undetermined.includes(feature));
  return hidden ? undefined : widest;
}
