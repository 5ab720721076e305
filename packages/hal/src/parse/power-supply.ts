/** One folder of `/sys/class/power_supply` (the kernel's ABI/testing/sysfs-class-power). */
import type { BatteryReading } from "@glia-os/abi/ports";
import { parseInteger } from "./integer.ts";

/** The files of the folder this parser reads. */
export const POWER_SUPPLY_FILES = [
  "type",
  "scope",
  "present",
  "status",
  "capacity",
  "energy_now",
  "energy_full",
  "charge_now",
  "charge_full",
] as const;

/** Contents by file name; what could not be read is left out. */
export type PowerSupplyFolder = Readonly<Partial<Record<(typeof POWER_SUPPLY_FILES)[number], string>>>;

/** One battery: its reading and how much of the machine's store it is. */
export interface BatteryPart extends BatteryReading {
  /** Full charge, in whatever unit the driver reports. */
  readonly full?: number;
}

/**
 * The battery of a folder; `undefined` for anything that is not a battery of the machine itself, or cannot be
 * read.
 */
export function parsePowerSupply(folder: PowerSupplyFolder): BatteryPart | undefined {
  // Scope `Device` is the battery of a mouse or headset.
  if (folder.type?.trim() !== "Battery" || folder.scope?.trim() === "Device") return undefined;
  if (folder.present?.trim() === "0") return undefined;
  const now = parseInteger(folder.energy_now) ?? parseInteger(folder.charge_now);
  const full = parseInteger(folder.energy_full) ?? parseInteger(folder.charge_full);
  const percent =
    parseInteger(folder.capacity) ?? (now !== undefined && full ? (100 * now) / full : undefined);
  if (percent === undefined) return undefined;
  const charging = folder.status?.trim() === "Charging";
  return { percent: Math.min(100, percent), charging, ...(full ? { full } : {}) };
}

/**
 * Several batteries as one: weighted by full charge where every one tells it, else equally. It charges when
 * any of them does. `undefined` for an empty list.
 */
export function combineBatteries(parts: readonly BatteryPart[]): BatteryReading | undefined {
  if (parts.length === 0) return undefined;
  const weighted = parts.every((part) => part.full !== undefined);
  const weights = parts.map((part) => (weighted ? part.full! : 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const charge = parts.reduce((sum, part, index) => sum + part.percent * weights[index]!, 0);
  return { percent: charge / total, charging: parts.some((part) => part.charging) };
}
