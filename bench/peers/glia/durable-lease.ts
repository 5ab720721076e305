/** A lease of a session: taken, an agent claimed under its fence, given back. Beside the same three changes by bare statements. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Epoch, toEpoch } from "@glia-os/abi/ids";
import { openSqliteCoordination } from "@glia-os/store/sqlite";
import { agentNamed, newAgent, nodeNamed } from "@glia-os/store/testing";
import type { Contestant, ContestantFactory } from "../../src/suite.ts";
import { journalFolder } from "./durable-world.ts";

const LEASES = 50;
const TTL_MS = 60_000;

/** Microseconds per lease. */
async function timed(lease: () => void | Promise<void>): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < LEASES; i++) await lease();
  return ((performance.now() - begin) * 1_000) / LEASES;
}

async function ours(): Promise<Contestant> {
  const { folder, remove } = journalFolder();
  const store = await openSqliteCoordination({ path: join(folder, "a.db") });
  const [node, agent] = [nodeNamed("a"), agentNamed("1")];
  const first = await store.openSession(node, TTL_MS, "first");
  let epoch: Epoch = toEpoch((await store.createAgent(newAgent(agent, first, "one"), "create")).epoch);
  let number = 0;
  const lease = async (): Promise<void> => {
    number += 1;
    const { sessionId } = await store.openSession(node, TTL_MS, `open-${number}`);
    const change = { owner: node, sessionId, status: "running" } as const;
    const claimed = await store.compareAndSwap(agent, epoch, change, `claim-${number}`);
    if (claimed.kind !== "committed") throw new RangeError(`the claim ended as ${claimed.kind}`);
    epoch = claimed.row.epoch;
    await store.closeSession(sessionId);
  };
  const close = async (): Promise<void> => {
    await store.close();
    remove();
  };
  return { value: () => timed(lease), close };
}

function bare(): Contestant {
  const { folder, remove } = journalFolder();
  const db = new DatabaseSync(join(folder, "a.db"));
  db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  db.exec("CREATE TABLE session (id INTEGER PRIMARY KEY, node TEXT, until INTEGER)");
  db.exec("CREATE TABLE agent (id TEXT PRIMARY KEY, epoch INTEGER, session INTEGER)");
  db.exec("INSERT INTO agent VALUES ('a', 1, 0)");
  const open = db.prepare("INSERT INTO session (node, until) VALUES ('n', 1)");
  const claim = db.prepare("UPDATE agent SET epoch = epoch + 1, session = ? WHERE id = 'a'");
  const end = db.prepare("DELETE FROM session WHERE id = ?");
  const lease = (): void => {
    const { lastInsertRowid } = open.run();
    claim.run(lastInsertRowid);
    end.run(lastInsertRowid);
  };
  const close = (): void => {
    db.close();
    remove();
  };
  return { value: () => timed(lease), close };
}

/** By name, for a process of their own. */
export const contestants: Readonly<Record<string, ContestantFactory>> = { ours, bare };
