/** What the sensors of a machine say at one moment. What no sensor says is undefined. */
import type { BatteryReading, Sensors } from "@glia-os/abi/ports";

/** Readings of one moment. */
export interface Readings {
  readonly battery?: BatteryReading | undefined;
  /** The hottest known component. */
  readonly temperatureCelsius?: number | undefined;
  /** Busy share of all cores, 0 to 1. */
  readonly cpuLoad?: number | undefined;
  /** Used share of the memory, 0 to 1. */
  readonly memoryLoad?: number | undefined;
  /** Messages or jobs that wait. */
  readonly queueDepth?: number | undefined;
}

/** Ask every sensor once. `totalMemoryBytes`: what the available memory is a share of; left out, the memory's load is unknown. */
export async function readSensors(sensors: Sensors, totalMemoryBytes?: number): Promise<Readings> {
  const [battery, temperatureCelsius, cpuLoad, available] = await Promise.all([
    sensors.battery(),
    sensors.temperatureCelsius(),
    sensors.cpuLoad(),
    sensors.availableMemoryBytes(),
  ]);
  const memoryLoad =
    totalMemoryBytes === undefined || !(totalMemoryBytes > 0)
      ? undefined
      : Math.min(1, Math.max(0, 1 - available / totalMemoryBytes));
  return { battery, temperatureCelsius, cpuLoad, memoryLoad };
}
