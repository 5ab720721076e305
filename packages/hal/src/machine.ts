/**
 * The reading side of detection: everything this package asks of the machine goes through a `Machine`, so
 * that a recorded machine can stand in for the real one. Parsing is elsewhere and pure.
 *
 * M1. A reading that fails is `undefined`. Nothing here throws, and nothing here writes.
 * M2. Every reading is bounded: file size, entries of a folder, output and time of a command. What exceeds
 *     its bound is treated as unreadable, not cut: half a file could be misread.
 * M3. What the kernel makes from its memory (`/proc`, `/sys/fs`, names under `/sys`) is read in the calling thread: some microseconds, where handing
 *     each step to a pool of threads wakes two of them. Devices behind other files of `/sys` may take long to answer and are read by the pool.
 */
import { execFile } from "node:child_process";
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { availableParallelism, cpus, endianness, freemem, totalmem } from "node:os";
import { type Architecture, detectArchitecture } from "./architecture.ts";

/** Largest file read in bytes. `/proc/cpuinfo` has about 1.5 KB per processor: enough for 5,000. */
const FILE_LIMIT_BYTES = 8 * 1024 * 1024;
/** Most entries of a folder looked at. */
const FOLDER_LIMIT = 16_384;
/** Longest a command may run, in milliseconds. */
const COMMAND_LIMIT_MS = 5000;
/** Most output of a command in bytes. */
const COMMAND_OUTPUT_LIMIT_BYTES = 1024 * 1024;

/** Time one processor spent, in milliseconds since boot. */
export interface CpuTime {
  readonly busyMs: number;
  readonly idleMs: number;
}

/**
 * The facts taken from the `systeminformation` package, where the system offers no file this package reads
 * itself.
 */
export interface OsLibrary {
  cpu(): Promise<{ readonly brand: string; readonly physicalCores: number }>;
  battery(): Promise<{
    readonly hasBattery: boolean;
    readonly percent: number;
    readonly isCharging: boolean;
  }>;
  cpuTemperature(): Promise<{ readonly main: number | null; readonly max: number | null }>;
}

/** One machine, as seen by one process. */
export interface Machine {
  /** Node's name of the operating system (`process.platform`). */
  readonly platform: string;
  readonly architecture: Architecture;
  /** Size of an address in bytes. */
  readonly wordBytes: 4 | 8;
  readonly littleEndian: boolean;
  /** A text file, or `undefined` (M1, M2). */
  readText(path: string): Promise<string | undefined>;
  /** A file, or `undefined` (M1, M2). */
  readBytes(path: string): Promise<Uint8Array | undefined>;
  /** The names in a folder, sorted; empty when it cannot be read; at most 16,384. */
  list(path: string): Promise<readonly string[]>;
  /**
   * The standard output of a command, whatever its exit status; `undefined` when it did not run or exceeded
   * its bounds.
   */
  run(command: string, args: readonly string[]): Promise<string | undefined>;
  /** Time per logical processor; empty where the system hides it. */
  cpuTimes(): readonly CpuTime[];
  /** Processors the runtime says this process may use. */
  availableParallelism(): number;
  /** Memory of the machine in bytes as the runtime reports it. */
  totalMemoryBytes(): number;
  /** Memory in bytes the runtime says is free. */
  freeMemoryBytes(): number;
  /** Loads the library that knows the rest. */
  library(): Promise<OsLibrary>;
}

const isOfKernel = (path: string): boolean => path.startsWith("/proc/") || path.startsWith("/sys/fs/");

/** (M3) */
function readAtOnce(path: string): Uint8Array | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const chunks: Uint8Array[] = [];
    for (let total = 0; total <= FILE_LIMIT_BYTES; ) {
      const chunk = Buffer.allocUnsafe(16_384);
      const bytesRead = readSync(file, chunk, 0, chunk.length, null);
      if (bytesRead === 0) return Buffer.concat(chunks, total);
      total += bytesRead;
      chunks.push(chunk.subarray(0, bytesRead));
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

async function readBounded(path: string): Promise<Uint8Array | undefined> {
  if (isOfKernel(path)) return readAtOnce(path);
  try {
    // Pseudo files report a size of 0, so the bound is checked while reading.
    await using file = await open(path, "r");
    const chunks: Uint8Array[] = [];
    let total = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(16_384), 0, 16_384, null);
      if (bytesRead === 0) return Buffer.concat(chunks, total);
      total += bytesRead;
      if (total > FILE_LIMIT_BYTES) return undefined;
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } catch {
    return undefined;
  }
}

async function listBounded(path: string): Promise<readonly string[]> {
  try {
    const names = path.startsWith("/sys/") || isOfKernel(path) ? readdirSync(path) : await readdir(path);
    return names.sort().slice(0, FOLDER_LIMIT);
  } catch {
    return [];
  }
}

function runBounded(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: COMMAND_LIMIT_MS, maxBuffer: COMMAND_OUTPUT_LIMIT_BYTES, windowsHide: true };
    execFile(command, [...args], options, (error, stdout) => {
      // A numeric code is the command's own exit status: it ran, and what it printed counts.
      const ran = error === null || typeof error.code === "number";
      resolve(ran ? stdout : undefined);
    });
  });
}

function readCpuTimes(): readonly CpuTime[] {
  return cpus().map(({ times }) => ({
    busyMs: times.user + times.nice + times.sys + times.irq,
    idleMs: times.idle,
  }));
}

/** Where to read. */
export interface LocalMachineOptions {
  /** A folder to put before every path, for reading a copy of another machine's files. Default: none. */
  readonly root?: string;
}

/** The machine this process runs on. */
export function createLocalMachine(options: LocalMachineOptions = {}): Machine {
  const root = options.root ?? "";
  const architecture = detectArchitecture();
  const narrow = ["x86", "arm", "mips", "mipsel"].includes(architecture);
  return {
    platform: process.platform,
    architecture,
    wordBytes: narrow ? 4 : 8,
    littleEndian: endianness() === "LE",
    readText: async (path) => {
      const bytes = await readBounded(root + path);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    },
    readBytes: (path) => readBounded(root + path),
    list: (path) => listBounded(root + path),
    run: runBounded,
    cpuTimes: readCpuTimes,
    availableParallelism,
    totalMemoryBytes: totalmem,
    freeMemoryBytes: freemem,
    library: async () => (await import("systeminformation")).default as OsLibrary,
  };
}
