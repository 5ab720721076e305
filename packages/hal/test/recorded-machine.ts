/** A machine that answers from a recording (`fixtures/machines`). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Architecture, CpuTime, Machine, OsLibrary } from "../src/detect.ts";

export interface Recording {
  readonly platform?: string;
  readonly architecture: Architecture;
  readonly wordBytes?: 4 | 8;
  readonly parallelism?: number;
  readonly totalBytes?: number;
  readonly freeBytes?: number;
  readonly cpuTimes?: () => readonly CpuTime[];
  readonly library?: Partial<OsLibrary>;
}

/** Files by path from the text of a recording. */
export function parseRecording(text: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const part of text.split(/^-- /m).slice(1)) {
    const [path, content] = [part.slice(0, part.indexOf(" --\n")), part.slice(part.indexOf(" --\n") + 4)];
    files.set(path, content);
  }
  return files;
}

/** The names directly below a folder. */
function namesBelow(files: ReadonlyMap<string, string>, folder: string): readonly string[] {
  const below = [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
  return [...new Set(below.map((path) => path.slice(folder.length + 1).split("/")[0]!))].sort();
}

const refuse = (): Promise<never> => Promise.reject(new TypeError("this machine has no such library"));

/** A machine with these files. What a recording leaves out is unreadable. */
export function machineOf(files: ReadonlyMap<string, string>, recording: Recording): Machine {
  return {
    platform: recording.platform ?? "linux",
    architecture: recording.architecture,
    wordBytes: recording.wordBytes ?? 8,
    littleEndian: true,
    readText: async (path) => files.get(path),
    readBytes: async (path) => {
      const hex = files.get(`${path}.hex`);
      return hex === undefined ? undefined : new Uint8Array(Buffer.from(hex.trim(), "hex"));
    },
    list: async (path) => namesBelow(files, path),
    run: async (command) => files.get(`$ ${command}`),
    cpuTimes: recording.cpuTimes ?? (() => []),
    availableParallelism: () => recording.parallelism ?? 1024,
    totalMemoryBytes: () => recording.totalBytes ?? 0,
    freeMemoryBytes: () => recording.freeBytes ?? 0,
    library: async () => ({ cpu: refuse, battery: refuse, cpuTemperature: refuse, ...recording.library }),
  };
}

/** The files of a recorded machine. */
export function recordingNamed(name: string): Map<string, string> {
  return parseRecording(
    readFileSync(join(import.meta.dirname, "fixtures", "machines", `${name}.txt`), "utf8"),
  );
}

/** A recorded machine. */
export function recordedMachine(name: string, recording: Recording): Machine {
  return machineOf(recordingNamed(name), recording);
}
