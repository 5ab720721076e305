/** Makes a kernel, runs one task to its end, and ends. */
import { createKernel } from "@glia-os/kernel";
import { SeededRandom } from "@glia-os/kernel/testing";

const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const kernel = createKernel({ clock, random: new SeededRandom(1) });
const task = kernel.spawn(function* (sys) {
  yield* sys.yield();
});
kernel.runSlice();
process.exitCode = kernel.exitOf(task)?.kind === "ok" ? 0 : 1;
