/**
 * A program that runs jobs on every engine, and a watchdog beside a kernel whose task holds the loop. The module of the jobs lies beside it.
 * Ends by itself. Prints a line per engine and the name of the task.
 */
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import {
  createAsyncEngine,
  createProcessEngine,
  createThreadedEngine,
  createWatchdog,
  runKernel,
} from "@glia-os/host";
import { createKernel } from "@glia-os/kernel";
import * as functions from "./engine-jobs.mjs";

const module = new URL("./engine-jobs.mjs", import.meta.url);
const engines = [
  (handedOn) => createAsyncEngine({ functions, handedOn }),
  (handedOn) => createThreadedEngine({ module, workers: 2, handedOn }),
  (handedOn) => createProcessEngine({ module, workers: 1, handedOn }),
];
for (const make of engines) {
  let handedOn = 0;
  const engine = make(({ result }) => {
    handedOn += result;
  });
  const job = { id: "job", origin: "program", lineage: [] };
  const doubled = await engine.run({ ...job, entry: "double", payload: 21 });
  await engine.run({ ...job, entry: "spread", payload: 4 });
  await engine.close({ drainMs: 60_000 });
  console.log(`${engine.kind}: ${doubled} ${handedOn}`);
}

const named = Promise.withResolvers();
const watchdog = createWatchdog({ limitMs: 20, onHog: (hog) => named.resolve(hog.name) });
const kernel = createKernel({
  clock: createSystemClock(),
  random: createSystemRandom(),
  observer: watchdog.observer,
});
const running = runKernel(kernel, { timers: createSystemTimers() });
watchdog.watch(kernel);
let heard = false;
kernel.spawn(
  function* (sys) {
    while (!heard) {
      for (const end = performance.now() + 100; performance.now() < end; );
      yield* sys.sleep(1);
    }
  },
  { name: "greedy" },
);
const name = await named.promise;
heard = true;
console.log(`watchdog: ${name}`);
await watchdog.stop();
await running.stop(1000);
