/** `Journal` on PostgreSQL: what is acknowledged outlives the machine that wrote it. */
import type { Journal } from "@glia-os/abi/ports";
import { GroupQueue } from "../../engine/group-queue.ts";
import { CheckedJournal } from "../../journal/checked-journal.ts";
import { JOURNAL_LOAD } from "../../journal/journal-load.ts";
import { type JournalLimits, journalLimits } from "../../journal/limits.ts";
import { EngineConnection } from "../connection.ts";
import { type PostgresPlace, postgresSettings } from "../place.ts";
import { openTables } from "../schema.ts";
import { JournalGroups } from "./journal-group.ts";
import { JOURNAL_TABLES, journalSql } from "./journal-sql.ts";

/** What to open. */
export interface PostgresJournalOptions extends PostgresPlace {
  /** Limits that differ from the default ones. Clients of one schema are given the same. */
  readonly limits?: Partial<JournalLimits>;
}

/**
 * Connect, and make the tables where there are none. Needs the package `pg`. Any number of clients share a schema; each domain
 * has one accepted writer by its epoch.
 * @throws `store.engine-unreachable`, `store.engine-unfit`, `store.cannot-open`, `store.not-writable`, `store.schema-newer`, and
 * `abi.malformed` for a bad option.
 */
export async function openPostgresJournal(options: PostgresJournalOptions): Promise<Journal> {
  const settings = postgresSettings(options);
  const { schema, place, queueLimit } = settings;
  const limits = journalLimits(options.limits);
  const connection = new EngineConnection(settings);
  try {
    await connection.transaction("write", (ask) => openTables(ask, schema, place, JOURNAL_TABLES));
  } catch (error) {
    await connection.close();
    throw error;
  }
  const groups = new JournalGroups(connection, { sql: journalSql(schema), limits, place });
  return new CheckedJournal(new GroupQueue(groups, queueLimit, JOURNAL_LOAD));
}
