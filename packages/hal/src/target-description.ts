/**
 * Machines Node cannot run on, described by a file: microcontrollers and other targets of the embedded
 * runtime.
 *
 * D1. A description produces the same `HardwareProfile` that detection does.
 * D2. A description is refused whole: an unknown key, a wrong type or a number out of range names the field,
 *     and nothing is used.
 * D3. What a description leaves out stays unknown; its list of features is complete, so a feature not listed
 *     is absent, unless it is listed as undetermined.
 */
import { ARCHITECTURES, type Architecture } from "./architecture.ts";
import { sortCaches, summariseCaches } from "./cache-summary.ts";
import { BadTargetError } from "./errors.ts";
import { type Feature, isFeature, sortFeatures } from "./feature.ts";
import type { CacheDescription, CacheType, HardwareProfile } from "./hardware-profile.ts";
import { withoutUnknown } from "./processor.ts";
import { WASM_FEATURES, type WasmFeature, type WasmFeatures } from "./wasm/feature-names.ts";

/** The value of a description's `format` key. */
export const TARGET_FORMAT = "glia.target/1";

/** Largest description in characters. */
const TEXT_LIMIT = 65_536;
/** Longest name, model or note in characters. */
const STRING_LIMIT = 1024;
/** Most entries of a list. */
const LIST_LIMIT = 64;

/** A target as its file describes it. All sizes in bytes. */
export interface TargetDescription {
  readonly format: typeof TARGET_FORMAT;
  /** Lower-case letters, digits and hyphens. */
  readonly name: string;
  readonly architecture: Architecture;
  /** Where the facts come from, and what is special. */
  readonly notes?: string;
  readonly cpuModel?: string;
  readonly coreCount?: number;
  /** Read-write memory of the target. */
  readonly memoryBytes?: number;
  readonly cacheLineBytes?: number;
  /** Only for targets with virtual memory. */
  readonly pageBytes?: number;
  readonly caches?: readonly CacheDescription[];
  readonly features: readonly Feature[];
  readonly undetermined?: readonly Feature[];
  /** Features of the WebAssembly engine that ships with the target, if one does. */
  readonly wasm?: readonly WasmFeature[];
}

type Fields = Readonly<Record<string, unknown>>;

const KEYS: ReadonlySet<string> = new Set([
  "format",
  "name",
  "architecture",
  "notes",
  "cpuModel",
  "coreCount",
  "memoryBytes",
  "cacheLineBytes",
  "pageBytes",
  "caches",
  "features",
  "undetermined",
  "wasm",
] satisfies (keyof TargetDescription)[]);
const CACHE_KEYS: ReadonlySet<string> = new Set([
  "level",
  "type",
  "bytes",
  "lineBytes",
  "ways",
  "sharedBy",
] satisfies (keyof CacheDescription)[]);
const CACHE_TYPES: readonly string[] = ["data", "instruction", "unified"] satisfies CacheType[];

function asFields(value: unknown, field: string, keys: ReadonlySet<string>): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BadTargetError(field, "is not an object");
  }
  const unknownKey = Object.keys(value).find((key) => !keys.has(key));
  if (unknownKey !== undefined)
    throw new BadTargetError(field, `has an unknown key ${JSON.stringify(unknownKey.slice(0, 64))}`);
  return value as Fields;
}

/** A field of the object itself: what a prototype offers does not count. */
function own(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

function asText(fields: Fields, key: string): string | undefined {
  const value = own(fields, key);
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value.length < 1 || value.length > STRING_LIMIT) {
    throw new BadTargetError(key, `is not a text of 1 to ${STRING_LIMIT} characters`);
  }
  return value;
}

function asCount(fields: Fields, key: string, most: number, field: string = key): number | undefined {
  const value = own(fields, key);
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > most) {
    throw new BadTargetError(field, `is not an integer from 1 to ${most}`);
  }
  return value;
}

function asPowerOfTwo(fields: Fields, key: string, field: string = key): number | undefined {
  const value = asCount(fields, key, 2 ** 30, field);
  if (value !== undefined && (value & (value - 1)) !== 0)
    throw new BadTargetError(field, "is not a power of two");
  return value;
}

function asList(fields: Fields, key: string): readonly unknown[] | undefined {
  const value = own(fields, key);
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length > LIST_LIMIT) {
    throw new BadTargetError(key, `is not a list of at most ${LIST_LIMIT} entries`);
  }
  return value;
}

function asNames<Name extends string>(
  fields: Fields,
  key: string,
  is: (name: string) => name is Name,
): readonly Name[] | undefined {
  return asList(fields, key)?.map((entry) => {
    if (typeof entry === "string" && is(entry)) return entry;
    throw new BadTargetError(key, `has an unknown entry ${JSON.stringify(entry)?.slice(0, 64)}`);
  });
}

function asCache(entry: unknown, index: number): CacheDescription {
  const field = `caches[${index}]`;
  const fields = asFields(entry, field, CACHE_KEYS);
  const level = asCount(fields, "level", 8, `${field}.level`);
  const bytes = asCount(fields, "bytes", 2 ** 40, `${field}.bytes`);
  const type = own(fields, "type");
  if (level === undefined) throw new BadTargetError(`${field}.level`, "is missing");
  if (bytes === undefined) throw new BadTargetError(`${field}.bytes`, "is missing");
  if (typeof type !== "string" || !CACHE_TYPES.includes(type)) {
    throw new BadTargetError(`${field}.type`, `is not one of ${CACHE_TYPES.join(", ")}`);
  }
  return {
    level,
    type: type as CacheType,
    bytes,
    ...withoutUnknown({
      lineBytes: asPowerOfTwo(fields, "lineBytes", `${field}.lineBytes`),
      ways: asCount(fields, "ways", 65_536, `${field}.ways`),
      sharedBy: asCount(fields, "sharedBy", 65_536, `${field}.sharedBy`),
    }),
  };
}

const isWasmFeature = (name: string): name is WasmFeature => Object.hasOwn(WASM_FEATURES, name);

function asIdentity(fields: Fields): Pick<TargetDescription, "format" | "name" | "architecture"> {
  if (own(fields, "format") !== TARGET_FORMAT)
    throw new BadTargetError("format", `is not ${JSON.stringify(TARGET_FORMAT)}`);
  const name = asText(fields, "name");
  if (name === undefined || !/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) {
    throw new BadTargetError("name", "is not 1 to 64 lower-case letters, digits and hyphens");
  }
  const architecture = own(fields, "architecture");
  if (!ARCHITECTURES.some((known) => known === architecture)) {
    throw new BadTargetError("architecture", `is not one of ${ARCHITECTURES.join(", ")}`);
  }
  return { format: TARGET_FORMAT, name, architecture: architecture as Architecture };
}

/** Check a description (D2). @throws `hal.bad-target`. */
function checkTarget(value: unknown): TargetDescription {
  const fields = asFields(value, "the description", KEYS);
  const identity = asIdentity(fields);
  const features = asNames(fields, "features", isFeature);
  if (features === undefined) throw new BadTargetError("features", "is missing");
  const undetermined = asNames(fields, "undetermined", isFeature);
  const both = undetermined?.find((feature) => features.includes(feature));
  if (both !== undefined) throw new BadTargetError("undetermined", `lists ${both}, which features lists too`);
  return {
    ...identity,
    features,
    ...withoutUnknown({
      notes: asText(fields, "notes"),
      cpuModel: asText(fields, "cpuModel"),
      coreCount: asCount(fields, "coreCount", 65_536),
      memoryBytes: asCount(fields, "memoryBytes", Number.MAX_SAFE_INTEGER),
      cacheLineBytes: asPowerOfTwo(fields, "cacheLineBytes"),
      pageBytes: asPowerOfTwo(fields, "pageBytes"),
      caches: asList(fields, "caches")?.map(asCache),
      undetermined,
      wasm: asNames(fields, "wasm", isWasmFeature),
    }),
  };
}

function asProfile(target: TargetDescription): HardwareProfile {
  const { architecture, caches = [], coreCount, memoryBytes, wasm } = target;
  return Object.freeze({
    architecture,
    features: sortFeatures(target.features),
    undetermined: sortFeatures(target.undetermined ?? []),
    limits: Object.freeze({ source: "none" as const }),
    caches: sortCaches(caches),
    ...summariseCaches(caches, target.cacheLineBytes),
    ...withoutUnknown({
      cpuModel: target.cpuModel,
      coreCount,
      physicalCoreCount: coreCount,
      effectiveCoreCount: coreCount,
      memoryBytes,
      effectiveMemoryBytes: memoryBytes,
      pageBytes: target.pageBytes,
      wasm: wasm && wasmFeatures(wasm),
    }),
  });
}

function wasmFeatures(present: readonly WasmFeature[]): WasmFeatures {
  const names = Object.keys(WASM_FEATURES) as WasmFeature[];
  return Object.fromEntries(names.map((name) => [name, present.includes(name)])) as WasmFeatures;
}

/** A described target: its description and the profile that follows from it. */
export interface Target {
  readonly description: TargetDescription;
  readonly profile: HardwareProfile;
}

/** Check a description that was already parsed as JSON (D1 to D3). @throws `hal.bad-target`. */
export function parseTarget(value: unknown): Target {
  const description = checkTarget(value);
  return { description, profile: asProfile(description) };
}

/** Parse the text of a description file, at most 65,536 characters. @throws `hal.bad-target`. */
export function parseTargetText(text: string): Target {
  if (text.length > TEXT_LIMIT)
    throw new BadTargetError("the text", `has more than ${TEXT_LIMIT} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadTargetError("the text", "is not JSON");
  }
  return parseTarget(value);
}
