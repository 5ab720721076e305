/** The entry of the worker of keys; started by `openSqliteKeyValue`, of no use by itself. */
import { parentPort, workerData } from "node:worker_threads";
import { serveStore } from "../../serve.ts";
import { type KeyValueSettings, openKeyStore } from "./key-store.ts";

if (parentPort !== null) serveStore(parentPort, () => openKeyStore(workerData as KeyValueSettings));
