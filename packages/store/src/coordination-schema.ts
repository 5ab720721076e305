/** The tables of a coordination store in a SQLite file. */
import type { DatabaseKind } from "./sqlite-file.ts";

const AGENT = `
CREATE TABLE agent (
  agent TEXT PRIMARY KEY, epoch INTEGER NOT NULL CHECK (epoch > 0), owner TEXT NOT NULL, session_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'suspended', 'terminated', 'failed', 'exported')),
  name TEXT NOT NULL, program_hash TEXT NOT NULL, revision INTEGER NOT NULL, replica TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX agent_name ON agent (name) WHERE status <> 'terminated';
`;

/** Version 1 had no replicas and three states. */
const FROM_1 = `
DROP INDEX agent_name;
ALTER TABLE agent RENAME TO agent_1;
${AGENT}
INSERT INTO agent SELECT agent, epoch, owner, session_id, status, name, program_hash, revision, NULL FROM agent_1;
DROP TABLE agent_1;
`;

/** Coordination: `GLIA` in ASCII. */
export const COORDINATION_DATABASE: DatabaseKind = {
  what: "a coordination store",
  applicationId: 0x474c4941,
  version: 2,
  schema: `
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('fence', 0);
CREATE TABLE session (
  session_id TEXT PRIMARY KEY, node TEXT NOT NULL UNIQUE, fence INTEGER NOT NULL,
  ttl_ms INTEGER NOT NULL, expires_wall_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;
${AGENT}CREATE TABLE change (revision INTEGER PRIMARY KEY, row TEXT NOT NULL) STRICT;
CREATE TABLE request (
  seq INTEGER PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL, outcome TEXT NOT NULL
) STRICT;
`,
  upgrades: { 1: FROM_1 },
};
