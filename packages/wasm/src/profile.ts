/**
 * The custom section `glia.profile` that the pipeline appends: which instrumentation a module carries and what it was made from.
 *
 * P1. It is a label, not a proof: admission checks the imports, exports, limits and instructions by itself, and a module that
 *     lies about its profile can only break its own execution.
 */
import { createHash } from "node:crypto";
import { NotInstrumentedError } from "./errors.ts";

/** Name of the custom section. */
export const PROFILE_SECTION = "glia.profile";

/**
 * Raised when the pipeline's output changes: snapshots cross versions only by running the old module.
 * 2: functions that can be suspended have two copies in every profile.
 */
export const PIPELINE_VERSION = 2;

/**
 * What instrumentation a module has.
 * - `none`: bounded memory and tables only. It may import no blocking call and runs to its end in one step.
 * - `cooperative`: it can be stopped at blocking host calls, and only there.
 * - `metered`: cooperative, and it counts fuel (docs/spec/fuel.md); without fuel it traps.
 * - `preemptive`: metered, and it can be stopped wherever fuel is checked: at every loop header and recursive call.
 */
export type Profile = (typeof PROFILES)[number];

/** Every profile, from least to most instrumentation. */
export const PROFILES = ["none", "cooperative", "metered", "preemptive"] as const;

/** What the section says. */
export interface ProfileRecord {
  readonly profile: Profile;
  /** {@link PIPELINE_VERSION} of the pipeline that wrote it. */
  readonly pipeline: number;
  /** SHA-256 of the module before instrumentation, as hexadecimal. */
  readonly original: string;
}

/** The section's content: JSON with its keys in this order. */
export function encodeProfile({ profile, pipeline, original }: ProfileRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ profile, pipeline, original }));
}

/** Read the section. @throws NotInstrumentedError when it is not what this build's pipeline writes */
export function decodeProfile(content: Uint8Array): ProfileRecord {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch {
    throw new NotInstrumentedError(`the section ${PROFILE_SECTION} is not JSON`);
  }
  const { profile, pipeline, original } = (value ?? {}) as Record<string, unknown>;
  if (!isProfile(profile))
    throw new NotInstrumentedError(
      `the module has the profile ${String(profile)}; this engine runs ${PROFILES.join(", ")}`,
    );
  if (pipeline !== PIPELINE_VERSION)
    throw new NotInstrumentedError(
      `the module was made by pipeline ${String(pipeline)}; this build reads ${PIPELINE_VERSION}`,
    );
  if (typeof original !== "string" || !/^[0-9a-f]{64}$/.test(original))
    throw new NotInstrumentedError(`the section ${PROFILE_SECTION} names no original module`);
  return { profile, pipeline, original };
}

/** Whether a profile counts fuel. */
export function isMetered(profile: string): boolean {
  return profile === "metered" || profile === "preemptive";
}

/** Whether a value is the name of a profile. */
export function isProfile(value: unknown): value is Profile {
  return PROFILES.some((profile) => profile === value);
}

/** SHA-256 as hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
