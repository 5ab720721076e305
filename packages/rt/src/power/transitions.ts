/**
 * Which power modes can follow which.
 *
 * TR1. A program changes the mode only while it runs: from `normal`, `low-power` and `ultra-low-power` to any other mode.
 * TR2. From `sleep` and `standby` a wake source leads back to the mode they were entered from; from `shutdown` to `normal`, from the beginning.
 * TR3. Losing power leads from any mode to `shutdown`; nothing asks whether it may.
 */
import { type PowerMode, powerMode } from "./power-mode.ts";

/** Why a program in mode `from` cannot enter `to`; undefined when it can. @throws {BadOptionError} for what is no mode */
export function transitionRefusal(from: PowerMode, to: PowerMode): string | undefined {
  powerMode(to);
  if (!powerMode(from).runs) return `nothing runs in ${from}; a wake source has to end it first`;
  return from === to ? "it is in that mode already" : undefined;
}
