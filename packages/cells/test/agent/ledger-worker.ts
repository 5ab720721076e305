/** A worker whose agents are those of the contract, over its port or over memory that it shares with the system. */
import { parentPort, workerData } from "node:worker_threads";
import { serveAgents } from "@glia-os/cells/agent";
import { family, ledger } from "@glia-os/cells/testing";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { RingPort } from "@glia-os/host";
import { grinder } from "./grinder.ts";

if (parentPort !== null)
  serveAgents(
    workerData === "ring" ? new RingPort(parentPort, "accepts") : parentPort,
    [ledger, family, grinder],
    {
      clock: createSystemClock(),
      random: createSystemRandom(),
      timers: createSystemTimers(),
    },
  );
