/** How late the event loop of this process is. */
import { monitorEventLoopDelay } from "node:perf_hooks";

const SAMPLE_MS = 250;
const NS_PER_MS = 1e6;

/** The 99th percentile over a quarter of a second, in milliseconds, of how far two timers of one millisecond are apart. */
export async function loopDelay(): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  delays.disable();
  return delays.percentile(99) / NS_PER_MS;
}
