/**
 * The worker's side of a SQLite store: requests in, answers out, one transaction per turn of the loop.
 *
 * W1. Answers leave in the order of their requests.
 * W2. The worker ends by itself after `close`, or when its parent goes away: its port is its only handle.
 */
import type { MessagePort } from "node:worker_threads";
import { type ErrorRecord, toErrorRecord } from "@glia-os/abi/errors";
import type { Clock } from "@glia-os/abi/ports";
import { type Answer, BATCH_LIMIT, Batches } from "./batch.ts";
import { WriteFailedError } from "./errors.ts";
import type { CoordinationLimits } from "./limits.ts";
import type { CoordinationRequest } from "./request.ts";
import { CoordinationRules } from "./rules.ts";
import { sqliteFailure } from "./sqlite-failure.ts";
import { type DatabaseOptions, openDatabase } from "./sqlite-file.ts";
import { SqliteTables } from "./sqlite-tables.ts";

/** What a worker is started with. */
export interface WorkerSettings extends DatabaseOptions {
  readonly limits: CoordinationLimits;
}

/** What the parent sends. */
export type ToWorker = { readonly requests: readonly CoordinationRequest[] } | { readonly close: true };

/** What the worker sends. `answers` belong to the oldest requests not answered yet (W1). */
export type FromWorker =
  | { readonly ready: true }
  | { readonly refused: ErrorRecord }
  | { readonly answers: readonly Answer[] };

/** Open the file and answer requests from `port` until it is closed. Reports a refusal to open and ends. */
export function serveSqlite(port: MessagePort, settings: WorkerSettings, clock: Clock): void {
  const send = (message: FromWorker): void => port.postMessage(message);
  let store: { readonly batches: Batches; close(): void };
  try {
    store = openStore(settings, clock);
  } catch (error) {
    send({ refused: toErrorRecord(error) });
    port.close();
    return;
  }
  const waiting: CoordinationRequest[] = [];
  let closing = false;
  let scheduled = false;
  const turn = (): void => {
    scheduled = false;
    if (waiting.length > 0) send({ answers: store.batches.perform(waiting.splice(0, BATCH_LIMIT)) });
    if (waiting.length > 0) {
      schedule();
    } else if (closing) {
      store.close();
      port.close();
    }
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  };
  port.on("message", (message: ToWorker) => {
    if ("close" in message) closing = true;
    else waiting.push(...message.requests);
    schedule();
  });
  send({ ready: true });
}

function openStore(settings: WorkerSettings, clock: Clock): { readonly batches: Batches; close(): void } {
  const db = openDatabase(settings);
  const rules = new CoordinationRules(new SqliteTables(db, settings.limits), clock, settings.limits);
  const batches = new Batches(rules, {
    begin: () => db.exec("BEGIN"),
    commit: () => db.exec("COMMIT"),
    rollback: () => {
      if (db.isTransaction) db.exec("ROLLBACK");
    },
    failure: (error) =>
      sqliteFailure(error, settings.path) ?? new WriteFailedError(toErrorRecord(error).message),
  });
  return { batches, close: () => db.close() };
}
