/**
 * The six power modes and what each costs. The figures are the seed's model of a microcontroller, not a measurement of one.
 *
 * PW1. Between two modes, the deeper one takes less power and longer to wake from.
 * PW2. Every mode but `shutdown` retains memory.
 */
import { BadOptionError } from "../errors.ts";

/** How much of a device is on. `normal`, `low-power` and `ultra-low-power` run the core, at less and less speed; the others stop it. */
export type PowerMode = "normal" | "low-power" | "ultra-low-power" | "sleep" | "standby" | "shutdown";

/** The facts of a mode. */
export interface PowerModeFacts {
  readonly mode: PowerMode;
  /** Power in this mode as a share of `normal`, in percent. */
  readonly powerPercent: number;
  /** Time from a wake source to the first instruction, in microseconds. */
  readonly wakeMicros: number;
  /** Whether memory is as it was after waking. */
  readonly retainsMemory: boolean;
  /** Whether the core executes instructions. */
  readonly runs: boolean;
}

/** The modes, from the one that takes most power to the one that takes none. */
export const POWER_MODES: readonly PowerModeFacts[] = [
  { mode: "normal", powerPercent: 100, wakeMicros: 0, retainsMemory: true, runs: true },
  { mode: "low-power", powerPercent: 50, wakeMicros: 1, retainsMemory: true, runs: true },
  { mode: "ultra-low-power", powerPercent: 20, wakeMicros: 10, retainsMemory: true, runs: true },
  { mode: "sleep", powerPercent: 5, wakeMicros: 100, retainsMemory: true, runs: false },
  { mode: "standby", powerPercent: 1, wakeMicros: 1000, retainsMemory: true, runs: false },
  { mode: "shutdown", powerPercent: 0, wakeMicros: 100_000, retainsMemory: false, runs: false },
];

/** The facts of a mode. @throws {BadOptionError} for what is none */
export function powerMode(mode: PowerMode): PowerModeFacts {
  const facts = POWER_MODES.find((candidate) => candidate.mode === mode);
  if (facts === undefined)
    throw new BadOptionError("mode", mode, `one of ${POWER_MODES.map((known) => known.mode).join(", ")}`);
  return facts;
}
