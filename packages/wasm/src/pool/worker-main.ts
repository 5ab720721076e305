/** Where a thread of a pool starts: loads the user's module when there is one, and runs guests. */
import { parentPort, workerData } from "node:worker_threads";
import { GuestWorker } from "./guest-worker.ts";
import type { WorkerStart } from "./messages.ts";
import type { PoolSetup } from "./setup.ts";

const start = workerData as WorkerStart;
const setup: PoolSetup = start.setup === undefined ? {} : ((await import(start.setup)) as PoolSetup);
if (parentPort !== null) new GuestWorker(parentPort, start, setup);
