/**
 * Which calls of services a person has to approve: data, and the same answer for the same call in every run.
 *
 * OP1. `supervised`: every call. `spot-check`: a fraction of them, chosen by a hash of the seed and the key of the call, so that neither a
 *      restart nor a repetition chooses anew. `autonomous`: none, but those of a service whose last call failed (escalation).
 * OP2. `exempt` services are never asked about, `always` ones always; `always` goes before `exempt`.
 */

import { encode } from "cborg";
import type { Sha256 } from "./derived-random.ts";
import { BadPolicyError } from "./oversight-errors.ts";

/** The modes, from the closest to the loosest. */
export const OVERSIGHT_MODES = ["supervised", "spot-check", "autonomous"] as const;

/** How a program is overseen. */
export interface OversightPolicy {
  readonly mode: (typeof OVERSIGHT_MODES)[number];
  /** With `spot-check`: the fraction of calls, 0 to 1. Default 0.3. */
  readonly fraction?: number;
  /** With `spot-check`: what the choice follows from, at most 200 characters. Default "". */
  readonly seed?: string;
  /** Services that are never asked about, at most 64. */
  readonly exempt?: readonly string[];
  /** Services that are always asked about, at most 64. */
  readonly always?: readonly string[];
}

/** Which mode asked for an approval. */
export type AskedBecause = "supervised" | "spot-check" | "escalated" | "always";

const FRACTION = 0.3;
const SEED_LIMIT = 200;
const NAMES_LIMIT = 64;
const KEYS: ReadonlySet<string> = new Set(["mode", "fraction", "seed", "exempt", "always"]);

/** A policy from data. @throws {BadPolicyError} */
export function checkedPolicy(value: unknown): OversightPolicy {
  if (typeof value !== "object" || value === null) throw new BadPolicyError("it is no object");
  const policy = value as OversightPolicy;
  const { mode, fraction = FRACTION, seed = "" } = policy;
  const strange = Object.keys(value).find((key) => !KEYS.has(key));
  if (strange !== undefined) throw new BadPolicyError(`it has ${strange.slice(0, 40)}, which no policy has`);
  if (!OVERSIGHT_MODES.includes(mode))
    throw new BadPolicyError(`its mode is none of ${OVERSIGHT_MODES.join(", ")}`);
  if (typeof fraction !== "number" || !(fraction >= 0 && fraction <= 1))
    throw new BadPolicyError("its fraction is no number from 0 to 1");
  if (typeof seed !== "string" || seed.length > SEED_LIMIT)
    throw new BadPolicyError(`its seed is no text of at most ${SEED_LIMIT} characters`);
  for (const key of ["exempt", "always"] as const) {
    const names: unknown = policy[key] ?? [];
    if (!Array.isArray(names) || names.length > NAMES_LIMIT || names.some((each) => typeof each !== "string"))
      throw new BadPolicyError(`${key} is no list of at most ${NAMES_LIMIT} names`);
  }
  return policy;
}

/** Why a call needs an approval; undefined when it needs none. */
export function askedBecause(
  policy: OversightPolicy,
  call: { readonly service: string; readonly key: string; readonly failing: boolean },
  digests: Sha256,
): AskedBecause | undefined {
  const { mode, fraction = FRACTION, seed = "", exempt = [], always = [] } = policy;
  if (always.includes(call.service)) return "always";
  if (exempt.includes(call.service)) return undefined;
  if (mode === "supervised") return "supervised";
  if (mode === "autonomous") return call.failing ? "escalated" : undefined;
  return chance(digests.sha256(encode([seed, call.key]))) < fraction ? "spot-check" : undefined;
}

/** As many as 48 bits tell apart. */
const CHANCES = 281_474_976_710_656;

/** The first 48 bits of a hash as a number from 0 up to 1. */
function chance(hash: Uint8Array): number {
  let value = 0;
  for (const byte of hash.subarray(0, 6)) value = value * 256 + byte;
  return value / CHANCES;
}
