/** How a node moves agents by itself, checked. */
import {
  LATENCY_THRESHOLD_MS,
  type LatencySettings,
  POLICIES,
  type PolicyName,
  RESIDENCE_MS,
} from "@glia-os/cells";
import { BadOptionsError } from "../errors.ts";

/** How a node moves agents by itself. */
export interface MovementSettings {
  /** Policies that are on. Default: none; agents move only when somebody asks. */
  readonly policies?: readonly PolicyName[];
  /** Most moves that policies begin in a minute: 1 to 600. Default 6. */
  readonly movesPerMinute?: number;
  /** Between two looks at the sensors, in milliseconds: 100 to 3,600,000. Default 10,000. */
  readonly lookMs?: number;
  /** When the policy `latency` moves an agent. */
  readonly latency?: LatencySettings;
  /** A JSON file that is read instead of the machine's sensors (docs/spec/policy.md). */
  readonly sensorsFile?: string;
}

/** The defaults. */
export const MOVES_PER_MINUTE = 6;
export const LOOK_MS = 10_000;

/** @throws {BadOptionsError} */
export function checkMovementSettings(settings: MovementSettings): void {
  const { policies = [], movesPerMinute, lookMs, latency = {} } = settings;
  for (const policy of policies)
    if (!POLICIES.includes(policy))
      throw new BadOptionsError(`There is no policy ${JSON.stringify(policy)}, only ${POLICIES.join(", ")}`);
  whole("moves of policies per minute", movesPerMinute ?? MOVES_PER_MINUTE, 1, 600);
  whole("time between looks at the sensors", lookMs ?? LOOK_MS, 100, 3_600_000);
  whole("distance from which on a caller is far", latency.thresholdMs ?? LATENCY_THRESHOLD_MS, 1, 10_000);
  whole("time an agent stays where it came to", latency.residenceMs ?? RESIDENCE_MS, 0, 86_400_000);
}

function whole(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new BadOptionsError(`The ${what}, ${value}, is not a whole number from ${least} to ${most}`);
}
