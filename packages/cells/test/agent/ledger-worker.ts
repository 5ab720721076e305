/** A worker whose agents are those of the contract. */
import { parentPort } from "node:worker_threads";
import { serveAgents } from "@glia-os/cells/agent";
import { family, ledger } from "@glia-os/cells/testing";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { grinder } from "./grinder.ts";

if (parentPort !== null)
  serveAgents(parentPort, [ledger, family, grinder], {
    clock: createSystemClock(),
    random: createSystemRandom(),
    timers: createSystemTimers(),
  });
