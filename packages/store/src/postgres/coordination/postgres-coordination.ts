/** `Coordination` on PostgreSQL: several processes on several machines share one truth. */
import type { Clock, Coordination } from "@glia-os/abi/ports";
import { CheckedCoordination } from "../../checked-coordination.ts";
import { GroupQueue } from "../../engine/group-queue.ts";
import { type CoordinationLimits, limitsOf } from "../../limits.ts";
import { EngineConnection } from "../connection.ts";
import { type PostgresPlace, postgresSettings } from "../place.ts";
import { openTables } from "../schema.ts";
import { COORDINATION_TABLES, coordinationSql } from "./coordination-sql.ts";
import { CoordinationGroups } from "./group.ts";

/** What to open. */
export interface PostgresCoordinationOptions extends PostgresPlace {
  /** Judges leases. Of this process: the server's clock decides nothing. */
  readonly clock: Clock;
  /** Limits that differ from the default ones. Clients of one schema are given the same. */
  readonly limits?: Partial<CoordinationLimits>;
}

/**
 * Connect, and make the tables where there are none. Needs the package `pg`.
 * @throws `store.engine-unreachable`, `store.engine-unfit`, `store.cannot-open`, `store.not-writable`, `store.schema-newer`, and
 * `abi.malformed` for a bad option.
 */
export async function openPostgresCoordination(options: PostgresCoordinationOptions): Promise<Coordination> {
  const settings = postgresSettings(options);
  const limits = limitsOf(options.limits);
  const connection = new EngineConnection(settings);
  const sql = coordinationSql(settings.schema);
  const groups = new CoordinationGroups(connection, { sql, clock: options.clock, limits });
  try {
    const { schema, place } = settings;
    await connection.transaction("write", (ask) => openTables(ask, schema, place, COORDINATION_TABLES));
    await groups.seeSessions();
  } catch (error) {
    await connection.close();
    throw error;
  }
  const load = { bytesOf: () => undefined, given: false } as const;
  return new CheckedCoordination(new GroupQueue(groups, settings.queueLimit, load));
}
