/** Files that an earlier version wrote. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { toEpoch } from "@glia-os/abi/ids";
import { afterEach, expect, it } from "vitest";
import { openSqliteCoordination } from "../src/sqlite.ts";
import { agentNamed, nodeNamed } from "../src/testing.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const VERSION_1 = `
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('fence', 7);
CREATE TABLE session (session_id TEXT PRIMARY KEY, node TEXT NOT NULL UNIQUE, fence INTEGER NOT NULL,
  ttl_ms INTEGER NOT NULL, expires_wall_ms REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE agent (agent TEXT PRIMARY KEY, epoch INTEGER NOT NULL CHECK (epoch > 0), owner TEXT NOT NULL,
  session_id TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('running', 'suspended', 'terminated')),
  name TEXT NOT NULL, program_hash TEXT NOT NULL, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX agent_name ON agent (name) WHERE status <> 'terminated';
CREATE TABLE change (revision INTEGER PRIMARY KEY, row TEXT NOT NULL) STRICT;
CREATE TABLE request (seq INTEGER PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
  outcome TEXT NOT NULL) STRICT;
PRAGMA application_id = 0x474c4941; PRAGMA user_version = 1;`;

it("rows of a file of version 1 are there after it was opened, without a replica, and can be given one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "glia-upgrade-"));
  folders.push(folder);
  const path = join(folder, "coordination.db");
  const [a, b, agent] = [nodeNamed("a"), nodeNamed("b"), agentNamed("1")];
  const row = { agent, epoch: 3, owner: a, sessionId: `${a}:7`, status: "suspended", name: "old" } as const;
  const whole = { ...row, programHash: "f".repeat(64), revision: 1 };
  const db = new DatabaseSync(path);
  db.exec(VERSION_1);
  const put = db.prepare("INSERT INTO agent VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  put.run(...Object.values(whole));
  db.prepare("INSERT INTO change VALUES (1, ?)").run(JSON.stringify(whole));
  db.close();

  const store = await openSqliteCoordination({ path });
  expect(await store.getAgent(agent)).toEqual(whole);
  const { sessionId } = await store.openSession(b, 10_000, "open");
  const change = { owner: b, sessionId, status: "suspended", replicas: [a] } as const;
  expect(await store.compareAndSwap(agent, toEpoch(3), change, "cas")).toMatchObject({ kind: "committed" });
  await store.close();
  const again = await openSqliteCoordination({ path });
  expect(await again.findAgent("old")).toMatchObject({
    epoch: 4,
    status: "suspended",
    replicas: [a],
    revision: 2,
  });
  await again.close();
});
