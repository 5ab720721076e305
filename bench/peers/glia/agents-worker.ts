/** The worker of the row "ask of another worker". */
import { parentPort } from "node:worker_threads";
import { serveAgents } from "@glia-os/cells/agent";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { RingPort } from "@glia-os/host";
import { adder } from "./adder.ts";

if (parentPort !== null) {
  const parts = { clock: createSystemClock(), random: createSystemRandom(), timers: createSystemTimers() };
  serveAgents(new RingPort(parentPort, "accepts"), [adder], parts);
}
