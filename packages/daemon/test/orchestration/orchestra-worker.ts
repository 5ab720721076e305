/** A worker thread whose agents are those of the orchestra. */
import { parentPort } from "node:worker_threads";
import { type AnyAgent, serveAgents } from "@glia-os/cells/agent";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import * as orchestra from "./orchestra.ts";

if (parentPort !== null)
  serveAgents(parentPort, [...new Set(Object.values(orchestra))] as AnyAgent[], {
    clock: createSystemClock(),
    random: createSystemRandom(),
    timers: createSystemTimers(),
  });
