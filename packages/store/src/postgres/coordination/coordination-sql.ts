/** The tables of a coordination store on PostgreSQL, and what is asked of them (docs/spec/coordination-postgres.md). */
import type { TablesKind } from "../schema.ts";

const STATUSES = "status IN ('running', 'suspended', 'terminated', 'failed', 'exported')";

/** Coordination, version 2: since then rows name replicas, as ids joined by commas, and know five states. Text is ordered by its bytes, as everywhere in this store. */
export const COORDINATION_TABLES: TablesKind = {
  kind: "coordination",
  version: 2,
  tables: (schema) => [
    `CREATE TABLE ${schema}.counter (
      one boolean PRIMARY KEY CHECK (one), fence bigint NOT NULL, revision bigint NOT NULL, requests bigint NOT NULL,
      sessions bigint NOT NULL, rows bigint NOT NULL, live bigint NOT NULL)`,
    `INSERT INTO ${schema}.counter VALUES (true, 0, 0, 0, 0, 0, 0)`,
    `CREATE TABLE ${schema}.session (
      "sessionId" text COLLATE "C" PRIMARY KEY, node text COLLATE "C" NOT NULL UNIQUE, fence bigint NOT NULL,
      "ttlMs" bigint NOT NULL, "expiresWallMs" double precision NOT NULL, renewals bigint NOT NULL)`,
    `CREATE TABLE ${schema}.agent (
      agent text COLLATE "C" PRIMARY KEY, epoch bigint NOT NULL CHECK (epoch > 0), owner text NOT NULL,
      "sessionId" text NOT NULL, status text NOT NULL CHECK (${STATUSES}),
      name text COLLATE "C" NOT NULL, "programHash" text NOT NULL, revision bigint NOT NULL, replica text)`,
    `CREATE UNIQUE INDEX agent_name ON ${schema}.agent (name) WHERE status <> 'terminated'`,
    `CREATE TABLE ${schema}.change (revision bigint PRIMARY KEY, "row" json NOT NULL)`,
    `CREATE TABLE ${schema}.request (
      seq bigint PRIMARY KEY, "requestId" text COLLATE "C" NOT NULL UNIQUE, fingerprint text NOT NULL, outcome json NOT NULL)`,
  ],
  upgrades: {
    1: (schema) => [
      `ALTER TABLE ${schema}.agent ADD COLUMN replica text`,
      `ALTER TABLE ${schema}.agent DROP CONSTRAINT agent_status_check`,
      `ALTER TABLE ${schema}.agent ADD CONSTRAINT agent_status_check CHECK (${STATUSES})`,
    ],
  },
};

const AGENT = `agent, epoch, owner, "sessionId", status, name, "programHash", revision, replica`;

type Name =
  | `${"put" | "drop"}${"Sessions" | "Changes" | "Requests"}`
  | "putAgents"
  | "endAgents"
  | "lock"
  | "counters"
  | "count"
  | "sessions"
  | "allSessions"
  | "agents"
  | "liveAgents"
  | "requests"
  | "changes"
  | "oldestChange";

/** All statements of one schema. */
export type CoordinationSql = { readonly [Statement in Name]: string };

/** The statements. Writes take their rows as one JSON array. */
export function coordinationSql(schema: string): CoordinationSql {
  const from = (table: string): string =>
    `SELECT * FROM json_populate_recordset(null::${schema}.${table}, $1::json)`;
  return {
    lock: `SELECT fence, revision, requests, sessions, rows, live FROM ${schema}.counter FOR UPDATE`,
    counters: `SELECT fence, revision, requests, sessions, rows, live FROM ${schema}.counter`,
    sessions: `SELECT * FROM ${schema}.session WHERE "sessionId" = ANY($1) OR node = ANY($2)`,
    allSessions: `SELECT * FROM ${schema}.session`,
    agents: `SELECT ${AGENT} FROM ${schema}.agent WHERE agent = ANY($1) OR (name = ANY($2) AND status <> 'terminated')`,
    liveAgents: `SELECT ${AGENT} FROM ${schema}.agent WHERE status <> 'terminated' ORDER BY name`,
    requests: `SELECT "requestId", fingerprint, outcome FROM ${schema}.request WHERE "requestId" = ANY($1)`,
    changes: `SELECT "row" FROM ${schema}.change WHERE revision > $1 ORDER BY revision LIMIT $2`,
    oldestChange: `SELECT min(revision) AS oldest FROM ${schema}.change`,
    dropSessions: `DELETE FROM ${schema}.session WHERE "sessionId" = ANY($1)`,
    putSessions: `INSERT INTO ${schema}.session ${from("session")} ON CONFLICT ("sessionId") DO UPDATE SET
      "expiresWallMs" = excluded."expiresWallMs", renewals = excluded.renewals`,
    endAgents: `UPDATE ${schema}.agent SET status = 'terminated' WHERE agent = ANY($1)`,
    putAgents: `INSERT INTO ${schema}.agent ${from("agent")} ON CONFLICT (agent) DO UPDATE SET epoch = excluded.epoch,
      owner = excluded.owner, "sessionId" = excluded."sessionId", status = excluded.status, revision = excluded.revision,
      replica = excluded.replica`,
    putChanges: `INSERT INTO ${schema}.change ${from("change")}`,
    dropChanges: `DELETE FROM ${schema}.change WHERE revision <= $1`,
    putRequests: `INSERT INTO ${schema}.request ${from("request")}`,
    dropRequests: `DELETE FROM ${schema}.request WHERE seq <= $1`,
    count: `UPDATE ${schema}.counter SET fence = $1, revision = $2, requests = $3, sessions = $4, rows = $5, live = $6`,
  };
}
