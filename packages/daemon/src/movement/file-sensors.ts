/**
 * Sensors whose readings are in a JSON file: for machines whose sensors something else reads, and to try policies.
 *
 * SF1. The file is read anew for every reading. A field that is missing or of another type is a sensor that says nothing; a file that is missing or
 *      no JSON is a sensor that fails.
 */
import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import type { Sensors } from "@glia-os/abi/ports";

/** The sensors: `{"battery": {"percent", "charging"}, "temperatureCelsius", "cpuLoad", "memoryLoad"}`, loads from 0 to 1. */
export function createFileSensors(path: string, totalMemoryBytes: number = totalmem()): Sensors {
  const read = async (): Promise<Readonly<Record<string, unknown>>> =>
    JSON.parse(await readFile(path, "utf8")) as Readonly<Record<string, unknown>>;
  const number = async (name: string): Promise<number | undefined> => {
    const value = (await read())[name];
    return typeof value === "number" ? value : undefined;
  };
  return {
    battery: async () => {
      const { percent, charging } = ((await read())["battery"] ?? {}) as Record<string, unknown>;
      return typeof percent === "number" && typeof charging === "boolean" ? { percent, charging } : undefined;
    },
    temperatureCelsius: () => number("temperatureCelsius"),
    cpuLoad: () => number("cpuLoad"),
    availableMemoryBytes: async () => (1 - ((await number("memoryLoad")) ?? 0)) * totalMemoryBytes,
  };
}
