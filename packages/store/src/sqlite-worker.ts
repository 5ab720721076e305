/** The entry of the store worker; started by `openSqliteCoordination`, of no use by itself. */
import { parentPort, workerData } from "node:worker_threads";
import { serveStore } from "./serve.ts";
import { openSqliteStore, type WorkerSettings } from "./serve-sqlite.ts";
import { workerClock } from "./worker-clock.ts";

if (parentPort !== null)
  serveStore(parentPort, () => openSqliteStore(workerData as WorkerSettings, workerClock));
