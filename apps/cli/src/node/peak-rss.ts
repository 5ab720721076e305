/** Memory of this process. */
import { readFileSync } from "node:fs";

/** The most memory this process had resident, in bytes. Linux: of this program only, not of the one that forked it. */
export function peakRss(): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
    if (line !== null) return Number(line[1]) * 1024;
  } catch {
    // Not Linux, or no /proc: the system call below knows it too.
  }
  return process.resourceUsage().maxRSS * 1024;
}
