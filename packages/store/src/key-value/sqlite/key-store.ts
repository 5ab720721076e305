/** A store of keys on SQLite as its worker runs it: one transaction per group of requests. */
import { Batches, sqliteTransaction } from "../../batch.ts";
import type { SynchronousStore } from "../../serve.ts";
import { type DatabaseOptions, openDatabase } from "../../sqlite-file.ts";
import type { KeyValueLimits } from "../limits.ts";
import type { KeyReply, KeyRequest } from "../request.ts";
import { KeyRules } from "../rules.ts";
import { KEY_VALUE_DATABASE, SqliteKeyTable } from "./key-tables.ts";

/** What a worker is started with. */
export interface KeyValueSettings extends DatabaseOptions {
  readonly limits: KeyValueLimits;
}

/** Open the file. @throws the refusals of `openDatabase`. */
export function openKeyStore(settings: KeyValueSettings): SynchronousStore<KeyRequest, KeyReply> {
  const db = openDatabase(settings, KEY_VALUE_DATABASE);
  const rules = new KeyRules(new SqliteKeyTable(db, settings.path), settings.limits);
  const batches = new Batches(rules, sqliteTransaction(db, settings.path));
  return { perform: (requests) => batches.perform(requests), close: () => db.close() };
}
