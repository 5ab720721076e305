/** Prints the resident bytes per task, for as many tasks as its argument says, each holding one handle and parked in a receive. */
import { readFileSync } from "node:fs";
import { createKernel, type Handle, type Sys } from "@glia-os/kernel";
import { SeededRandom } from "@glia-os/kernel/testing";

const PAGE_BYTES = 4096;
const SLICE_SWITCHES = 4096;
const count = Number(process.argv[2]);

function residentBytes(): number {
  return Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * PAGE_BYTES;
}

const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const kernel = createKernel({ clock, random: new SeededRandom(1) });
const give = { give: [kernel.mailbox()] };

function* wait(sys: Sys, inbox: Handle) {
  yield* sys.receive(inbox);
}

globalThis.gc?.();
const before = residentBytes();
for (let made = 0; made < count; made += SLICE_SWITCHES) {
  for (let i = made; i < Math.min(made + SLICE_SWITCHES, count); i++) kernel.spawn(wait, give);
  while (kernel.runSlice(SLICE_SWITCHES) === "more");
}
globalThis.gc?.();
const grown = residentBytes() - before;
if (kernel.liveTasks !== count) throw new RangeError("some tasks ended");
console.log((grown / count).toFixed(3));
