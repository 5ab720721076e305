/** Prints the resident MiB of as many agents as its argument says, each a task that waits for its first message. */
import { readFileSync } from "node:fs";
import { createLocalSystem } from "@glia-os/cells/agent";
import { createSystemClock, createSystemRandom } from "@glia-os/hal";
import { createKernel } from "@glia-os/kernel";
import { adder } from "./adder.ts";

const PAGE_BYTES = 4096;
const MEBIBYTE = 1024 * 1024;
const AT_ONCE = 1024;
const count = Number(process.argv[2]);

function resident(): number {
  return (Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * PAGE_BYTES) / MEBIBYTE;
}

const clock = createSystemClock();
const limits = { handleLimit: 4_194_304, taskLimit: 2_097_151 };
const kernel = createKernel({ clock, random: createSystemRandom(), ...limits });
const system = createLocalSystem({ kernel, clock });
globalThis.gc?.();
const before = resident();
for (let made = 0; made < count; made += AT_ONCE) {
  const batch = Array.from({ length: Math.min(AT_ONCE, count - made) }, () => system.spawn(adder));
  while (kernel.runSlice(AT_ONCE) === "more");
  await Promise.all(batch);
}
globalThis.gc?.();
const grown = resident() - before;
if (kernel.liveTasks !== count) throw new RangeError("some agents ended");
const last = await Promise.race([
  system.spawn(adder, { name: "last" }).then((ref) => system.ask(ref, "add", 1)),
  Promise.resolve().then(async () => {
    for (let i = 0; i < AT_ONCE; i++) {
      kernel.runSlice(AT_ONCE);
      await undefined;
    }
  }),
]);
if (last !== 1) throw new RangeError("an agent among so many does not answer");
console.log(grown.toFixed(1));
