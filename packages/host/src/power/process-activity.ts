/**
 * How often a process was woken and how long it ran, as the operating system counts it.
 *
 * PA1. A wake-up is a voluntary context switch: a thread gave the processor up to wait, and was woken. All threads of the process count.
 * PA2. What the system does not say is undefined, never a made-up number: other systems than Linux, and processes that are gone.
 */
import { readdirSync, readFileSync } from "node:fs";

/** Counts since the process began. */
export interface ProcessActivity {
  /** Voluntary context switches of the threads that live now. */
  readonly wakeUps: number;
  /** The same by thread: its name and id. */
  readonly byThread: ReadonlyMap<string, number>;
  /** Time that those threads were on a processor, in milliseconds. */
  readonly cpuMs: number;
}

/** What a process did so far; undefined where nobody says. */
export function processActivity(pid: number): ProcessActivity | undefined {
  try {
    const byThread = new Map<string, number>();
    let cpuNs = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const status = textOf(`/proc/${pid}/task/${thread}/status`);
      const name = /^Name:\s*(.*)$/m.exec(status)?.[1] ?? "";
      const switches = /^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1];
      if (switches === undefined) continue;
      byThread.set(`${name} ${thread}`, Number(switches));
      // The first of three numbers: nanoseconds that the thread ran.
      cpuNs += Number(textOf(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0]);
    }
    if (byThread.size === 0) return undefined;
    return {
      wakeUps: [...byThread.values()].reduce((sum, count) => sum + count, 0),
      byThread,
      cpuMs: cpuNs / 1e6,
    };
  } catch {
    return undefined;
  }
}

/** A file of a thread, which may end while it is read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
