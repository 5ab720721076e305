/** The entry of the store worker; started by `openSqliteCoordination`, of no use by itself. */
import { parentPort, workerData } from "node:worker_threads";
import { serveSqlite, type WorkerSettings } from "./serve-sqlite.ts";
import { workerClock } from "./worker-clock.ts";

if (parentPort !== null) serveSqlite(parentPort, workerData as WorkerSettings, workerClock);
