/** The same in two worker threads of one process. */
import { Worker } from "node:worker_threads";
import { createLocalSystem, type LocalAgentSystem } from "@glia-os/cells/agent";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { afterAll, beforeAll, describe, test } from "vitest";
import { cases } from "./cases.ts";

let system: LocalAgentSystem;
const workers: Worker[] = [];

beforeAll(async () => {
  system = createLocalSystem({
    clock: createSystemClock(),
    random: createSystemRandom(),
    timers: createSystemTimers(),
  });
  for (const place of ["one", "two"]) {
    const worker = new Worker(new URL("./orchestra-worker.ts", import.meta.url), {
      execArgv: ["--conditions=@glia-os/source"],
    });
    workers.push(worker);
    await system.join(place, worker);
  }
});
afterAll(async () => {
  await system.close();
  await Promise.all(workers.map((worker) => worker.terminate()));
});

describe("in two workers", () => {
  test.each(Object.entries(cases))("%s", async (_title, run) => {
    await run({ system, places: ["one", "two"] });
  });
});
