/** How a node moves agents by itself, checked. */
import { POLICIES, type PolicyName } from "@glia-os/cells";
import { BadOptionsError } from "../errors.ts";

/** How a node moves agents by itself. */
export interface MovementSettings {
  /** Policies that are on. Default: none; agents move only when somebody asks. */
  readonly policies?: readonly PolicyName[];
  /** Most moves that policies begin in a minute: 1 to 600. Default 6. */
  readonly movesPerMinute?: number;
  /** Between two looks at the sensors, in milliseconds: 100 to 3,600,000. Default 10,000. */
  readonly lookMs?: number;
  /** A JSON file that is read instead of the machine's sensors (docs/spec/policy.md). */
  readonly sensorsFile?: string;
}

/** The defaults. */
export const MOVES_PER_MINUTE = 6;
export const LOOK_MS = 10_000;

/** @throws {BadOptionsError} */
export function checkMovementSettings({ policies = [], movesPerMinute, lookMs }: MovementSettings): void {
  for (const policy of policies)
    if (!POLICIES.includes(policy))
      throw new BadOptionsError(`There is no policy ${JSON.stringify(policy)}, only ${POLICIES.join(", ")}`);
  whole("moves of policies per minute", movesPerMinute ?? MOVES_PER_MINUTE, 1, 600);
  whole("time between looks at the sensors", lookMs ?? LOOK_MS, 100, 3_600_000);
}

function whole(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new BadOptionsError(`The ${what}, ${value}, is not a whole number from ${least} to ${most}`);
}
