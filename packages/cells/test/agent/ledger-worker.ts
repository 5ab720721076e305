/** A worker whose agents are those of the contract. */
import { parentPort } from "node:worker_threads";
import { serveAgents } from "@glia-os/cells/agent";
import { family, ledger } from "@glia-os/cells/testing";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";

if (parentPort !== null)
  serveAgents(parentPort, [ledger, family], {
    clock: createSystemClock(),
    random: createSystemRandom(),
    timers: createSystemTimers(),
  });
