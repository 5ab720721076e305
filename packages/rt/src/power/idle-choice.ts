/**
 * Which mode to idle in.
 *
 * IC1. The choice is the mode that takes the least energy for the whole pause, waking at full power included, among those whose wake-up is
 *      quick enough, that can be woken by what will wake it, and that keep memory unless it may be lost.
 */
import { finite } from "../limits.ts";
import { POWER_MODES, type PowerMode } from "./power-mode.ts";
import { WAKE_SOURCES, type WakeSource } from "./wake-source.ts";

/** What is known of a pause. */
export interface IdlePause {
  /** How long nothing is to be done, in microseconds; `Infinity` when nobody knows. */
  readonly idleMicros: number;
  /** The longest that waking may take; default: no limit. */
  readonly latencyMicros?: number;
  /** What has to be able to end the pause; default: an interrupt. */
  readonly sources?: readonly WakeSource[];
  /** Whether the program can do without its memory; default false. */
  readonly mayLoseMemory?: boolean;
}

/** The mode to spend a pause in. @throws {BadOptionError} */
export function modeForPause(pause: IdlePause): PowerMode {
  const { latencyMicros = Number.POSITIVE_INFINITY, sources = ["interrupt"], mayLoseMemory = false } = pause;
  const idle = finite("idleMicros", pause.idleMicros, 0, Number.POSITIVE_INFINITY);
  finite("latencyMicros", latencyMicros, 0, Number.POSITIVE_INFINITY);
  // A pause without an end is one in which only the power of the mode counts.
  const cost = (powerPercent: number, wakeMicros: number): number =>
    idle === Number.POSITIVE_INFINITY ? powerPercent : powerPercent * idle + 100 * wakeMicros;
  let best = { mode: "normal" as PowerMode, cost: Number.POSITIVE_INFINITY };
  for (const { mode, powerPercent, wakeMicros, retainsMemory } of POWER_MODES) {
    const possible =
      wakeMicros <= latencyMicros &&
      (retainsMemory || mayLoseMemory) &&
      sources.every((source) => WAKE_SOURCES[mode].includes(source));
    const its = cost(powerPercent, wakeMicros);
    if (possible && its < best.cost) best = { mode, cost: its };
  }
  return best.mode;
}
