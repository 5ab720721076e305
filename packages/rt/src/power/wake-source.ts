/**
 * What can wake a core.
 *
 * WS1. A mode is left by the sources in its row and by no other; each deeper mode has fewer of them. `standby` stops the clock of SysTick,
 *      so only the real-time clock, a pin and a reset are left; `shutdown` stops the real-time clock too.
 */
import type { PowerMode } from "./power-mode.ts";

/**
 * An interrupt of a peripheral; an event (`SEV`, for a core that waits by `WFE`); SysTick; the real-time clock; a pin that is wired to wake
 * the device; a reset, which starts from the beginning.
 */
export type WakeSource = "interrupt" | "event" | "sys-tick" | "rtc" | "pin" | "reset";

/** Which sources are awake in a mode. For the modes that run: what ends a wait. */
export const WAKE_SOURCES: Readonly<Record<PowerMode, readonly WakeSource[]>> = {
  normal: ["interrupt", "event", "sys-tick", "rtc", "pin", "reset"],
  "low-power": ["interrupt", "event", "sys-tick", "rtc", "pin", "reset"],
  "ultra-low-power": ["interrupt", "event", "sys-tick", "rtc", "pin", "reset"],
  sleep: ["interrupt", "event", "sys-tick", "rtc", "pin", "reset"],
  standby: ["rtc", "pin", "reset"],
  shutdown: ["pin", "reset"],
};
