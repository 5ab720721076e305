/** `/proc/meminfo` (proc_meminfo(5)). */
import { parseSize } from "./integer.ts";

/** What the file says about the whole machine, in bytes. */
export interface Meminfo {
  /** Usable memory of the machine. */
  readonly totalBytes?: number;
  /** The kernel's estimate of what can be taken without swapping (Linux 3.14 and newer). */
  readonly availableBytes?: number;
}

/** Read the two lines that matter; a missing or malformed line leaves its field out. */
export function parseMeminfo(text: string): Meminfo {
  const line = (name: string) =>
    parseSize(new RegExp(`^${name}:[ \\t]*(\\d+ kB)[ \\t]*$`, "m").exec(text)?.[1]);
  const totalBytes = line("MemTotal");
  const availableBytes = line("MemAvailable");
  return {
    ...(totalBytes === undefined || totalBytes === 0 ? {} : { totalBytes }),
    ...(availableBytes === undefined ? {} : { availableBytes }),
  };
}
