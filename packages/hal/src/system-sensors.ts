/**
 * The real sensors. On Linux they read `/sys` and `/proc`; on macOS and Windows the `systeminformation`
 * package asks the system.
 *
 * N1. A fact that cannot be read is `undefined`, never a plausible number.
 * N2. Each call reads anew.
 */
import type { BatteryReading, Sensors } from "@glia-os/abi/ports";
import { readMemoryHeadroom } from "./cgroup-limits.ts";
import { type CpuTime, createLocalMachine, type Machine } from "./machine.ts";
import { parseMeminfo } from "./parse/meminfo.ts";
import {
  type BatteryPart,
  combineBatteries,
  POWER_SUPPLY_FILES,
  type PowerSupplyFolder,
  parsePowerSupply,
} from "./parse/power-supply.ts";
import { isOnDieSensor, parseMillidegrees } from "./parse/thermal.ts";

const POWER_ROOT = "/sys/class/power_supply";
const ZONE_ROOT = "/sys/class/thermal";
const HWMON_ROOT = "/sys/class/hwmon";
/** Folders of one class looked at; real machines have some dozens. */
const FOLDER_LIMIT = 256;

async function readPowerSupply(machine: Machine, folder: string): Promise<BatteryPart | undefined> {
  const entries = await Promise.all(
    POWER_SUPPLY_FILES.map(async (name) => [name, await machine.readText(`${folder}/${name}`)] as const),
  );
  return parsePowerSupply(
    Object.fromEntries(entries.filter(([, text]) => text !== undefined)) as PowerSupplyFolder,
  );
}

async function linuxBattery(machine: Machine): Promise<BatteryReading | undefined> {
  const names = (await machine.list(POWER_ROOT)).slice(0, FOLDER_LIMIT);
  const parts = await Promise.all(names.map((name) => readPowerSupply(machine, `${POWER_ROOT}/${name}`)));
  return combineBatteries(parts.filter((part) => part !== undefined));
}

async function libraryBattery(machine: Machine): Promise<BatteryReading | undefined> {
  try {
    const { hasBattery, percent, isCharging } = await (await machine.library()).battery();
    if (!hasBattery || typeof percent !== "number" || !(percent >= 0 && percent <= 100)) return undefined;
    return { percent, charging: isCharging };
  } catch {
    return undefined;
  }
}

async function zoneTemperatures(machine: Machine): Promise<readonly (number | undefined)[]> {
  const zones = (await machine.list(ZONE_ROOT)).filter((name) => name.startsWith("thermal_zone"));
  return Promise.all(
    zones
      .slice(0, FOLDER_LIMIT)
      .map(async (zone) => parseMillidegrees(await machine.readText(`${ZONE_ROOT}/${zone}/temp`))),
  );
}

async function chipTemperatures(machine: Machine, folder: string): Promise<readonly (number | undefined)[]> {
  if (!isOnDieSensor(await machine.readText(`${folder}/name`))) return [];
  const inputs = (await machine.list(folder)).filter((name) => /^temp\d{1,3}_input$/.test(name));
  return Promise.all(
    inputs.map(async (name) => parseMillidegrees(await machine.readText(`${folder}/${name}`))),
  );
}

async function linuxTemperature(machine: Machine): Promise<number | undefined> {
  const chips = (await machine.list(HWMON_ROOT)).slice(0, FOLDER_LIMIT);
  const readings = await Promise.all([
    zoneTemperatures(machine),
    ...chips.map((chip) => chipTemperatures(machine, `${HWMON_ROOT}/${chip}`)),
  ]);
  const known = readings.flat().filter((reading) => reading !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

async function libraryTemperature(machine: Machine): Promise<number | undefined> {
  try {
    const { main, max } = await (await machine.library()).cpuTemperature();
    const known = [main, max].filter((reading) => typeof reading === "number" && reading > 0);
    return known.length === 0 ? undefined : Math.max(...(known as number[]));
  } catch {
    return undefined;
  }
}

/**
 * Busy share of the time between two readings; `undefined` when they do not describe the same processors or
 * no time passed.
 */
function busyShare(before: readonly CpuTime[] | undefined, after: readonly CpuTime[]): number | undefined {
  if (before === undefined || before.length !== after.length) return undefined;
  const sum = (times: readonly CpuTime[], key: keyof CpuTime) =>
    times.reduce((total, time) => total + time[key], 0);
  const busy = Math.max(0, sum(after, "busyMs") - sum(before, "busyMs"));
  const idle = Math.max(0, sum(after, "idleMs") - sum(before, "idleMs"));
  return busy + idle === 0 ? undefined : busy / (busy + idle);
}

/** Free memory of the whole machine. */
async function machineHeadroom(machine: Machine): Promise<number> {
  const meminfo = parseMeminfo((await machine.readText("/proc/meminfo")) ?? "");
  return meminfo.availableBytes ?? machine.freeMemoryBytes();
}

/** The sensors of a machine; default: the local one. */
export function createSystemSensors(machine: Machine = createLocalMachine()): Sensors {
  const linux = machine.platform === "linux" || machine.platform === "android";
  let previous: readonly CpuTime[] | undefined;
  return {
    battery: () => (linux ? linuxBattery(machine) : libraryBattery(machine)),
    temperatureCelsius: () => (linux ? linuxTemperature(machine) : libraryTemperature(machine)),
    cpuLoad: async () => {
      const now = machine.cpuTimes();
      const share = busyShare(previous, now);
      previous = now;
      return share;
    },
    availableMemoryBytes: async () => {
      const [whole, group] = await Promise.all([machineHeadroom(machine), readMemoryHeadroom(machine)]);
      return Math.min(whole, group ?? whole);
    },
  };
}
