/** The SQLite store as its worker runs it: one transaction per group of requests. */
import type { Clock } from "@glia-os/abi/ports";
import { Batches, sqliteTransaction } from "./batch.ts";
import { COORDINATION_DATABASE } from "./coordination-schema.ts";
import type { CoordinationLimits } from "./limits.ts";
import type { CoordinationReply, CoordinationRequest } from "./request.ts";
import { CoordinationRules } from "./rules.ts";
import type { ServedStore } from "./serve.ts";
import { type DatabaseOptions, openDatabase } from "./sqlite-file.ts";
import { SqliteTables } from "./sqlite-tables.ts";

/** What a worker is started with. */
export interface WorkerSettings extends DatabaseOptions {
  readonly limits: CoordinationLimits;
}

/** Open the file. @throws the refusals of `openDatabase`. */
export function openSqliteStore(
  settings: WorkerSettings,
  clock: Clock,
): ServedStore<CoordinationRequest, CoordinationReply> {
  const db = openDatabase(settings, COORDINATION_DATABASE);
  const rules = new CoordinationRules(new SqliteTables(db, settings.limits), clock, settings.limits);
  const batches = new Batches(rules, sqliteTransaction(db, settings.path));
  return { perform: (requests) => batches.perform(requests), close: () => db.close() };
}
