/** The SQLite store as its worker runs it: one transaction per group of requests. */
import { toErrorRecord } from "@glia-os/abi/errors";
import type { Clock } from "@glia-os/abi/ports";
import { Batches } from "./batch.ts";
import { WriteFailedError } from "./errors.ts";
import type { CoordinationLimits } from "./limits.ts";
import type { CoordinationReply, CoordinationRequest } from "./request.ts";
import { CoordinationRules } from "./rules.ts";
import type { ServedStore } from "./serve.ts";
import { sqliteFailure } from "./sqlite-failure.ts";
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
  return { perform: (requests) => batches.perform(requests), close: () => db.close() };
}
