/** {@link Tables} in a SQLite file. Every statement is prepared once; transactions are the caller's. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import type { CoordinationLimits } from "./limits.ts";
import type { Counter, Outcome, RememberedOutcome, StoredSession, Tables } from "./tables.ts";

const SESSION = `session_id AS sessionId, node, fence, ttl_ms AS ttlMs, expires_wall_ms AS expiresWallMs, 0 AS renewals`;
const AGENT = `agent, epoch, owner, session_id AS sessionId, status, name, program_hash AS programHash, revision, replica`;

/** A table grows past its limit by at most one part in this many before its oldest rows go. */
const DROP_SHARE = 64;

const SQL = {
  fence: "SELECT value FROM counter WHERE name = 'fence'",
  advanceFence: "UPDATE counter SET value = value + 1 WHERE name = 'fence' RETURNING value",
  revision: "SELECT max(revision) AS value FROM change",
  sessionCount: "SELECT count(*) AS sessions FROM session",
  sessions: `SELECT ${SESSION} FROM session`,
  sessionOf: `SELECT ${SESSION} FROM session WHERE node = ?`,
  session: `SELECT ${SESSION} FROM session WHERE session_id = ?`,
  putSession: "INSERT INTO session VALUES (?, ?, ?, ?, ?)",
  dropSession: "DELETE FROM session WHERE session_id = ?",
  agent: `SELECT ${AGENT} FROM agent WHERE agent = ?`,
  agentNamed: `SELECT ${AGENT} FROM agent WHERE name = ? AND status <> 'terminated'`,
  liveAgents: `SELECT ${AGENT} FROM agent WHERE status <> 'terminated' ORDER BY name`,
  agentCounts: "SELECT count(*) AS rows, count(*) FILTER (WHERE status <> 'terminated') AS live FROM agent",
  moveAgent: `UPDATE agent SET epoch = ?, owner = ?, session_id = ?, revision = ?, replica = ? WHERE agent = ? AND status = ?`,
  putAgent: `INSERT INTO agent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (agent) DO UPDATE SET epoch = excluded.epoch,
    owner = excluded.owner, session_id = excluded.session_id, status = excluded.status, revision = excluded.revision,
    replica = excluded.replica`,
  putChange: "INSERT INTO change VALUES (?, ?)",
  dropChange: "DELETE FROM change WHERE revision <= ?",
  changes: "SELECT row FROM change WHERE revision > ? ORDER BY revision LIMIT ?",
  oldestChange: "SELECT min(revision) AS oldest FROM change",
  recall: "SELECT fingerprint, outcome FROM request WHERE request_id = ?",
  remember: "INSERT INTO request (request_id, fingerprint, outcome) VALUES (?, ?, ?)",
  dropRequest: "DELETE FROM request WHERE seq <= ?",
} as const;

/** The tables of one open database. */
export class SqliteTables implements Tables {
  readonly #limits: CoordinationLimits;
  readonly #sql: { readonly [Name in keyof typeof SQL]: StatementSync };
  #counts: { readonly rows: number; readonly live: number } | undefined;

  constructor(db: DatabaseSync, limits: CoordinationLimits) {
    this.#limits = limits;
    const entries = Object.entries(SQL).map(([name, text]) => [name, db.prepare(text)]);
    this.#sql = Object.fromEntries(entries) as { readonly [Name in keyof typeof SQL]: StatementSync };
  }

  reread(): void {
    this.#counts = undefined;
  }

  counter(name: Counter): number {
    return Number((name === "fence" ? this.#sql.fence : this.#sql.revision).get()?.["value"] ?? 0);
  }

  /** The newest change is never dropped, so it is the counter of revisions; only fences need a row of their own. */
  advance(name: Counter): number {
    if (name === "revision") return this.counter("revision") + 1;
    return Number(this.#sql.advanceFence.get()?.["value"]);
  }

  sessions(): readonly StoredSession[] {
    return this.#sql.sessions.all() as unknown as readonly StoredSession[];
  }

  sessionOf(node: NodeId): StoredSession | undefined {
    return this.#sql.sessionOf.get(node) as StoredSession | undefined;
  }

  session(sessionId: string): StoredSession | undefined {
    return this.#sql.session.get(sessionId) as StoredSession | undefined;
  }

  sessionCount(): number {
    return Number(this.#sql.sessionCount.get()?.["sessions"]);
  }

  putSession(session: Omit<StoredSession, "renewals">): StoredSession {
    const { sessionId, node, fence, ttlMs, expiresWallMs } = session;
    this.#sql.putSession.run(sessionId, node, fence, ttlMs, expiresWallMs);
    return { ...session, renewals: 0 };
  }

  /** Writes nothing: a flush for each renewal would wake the disk of an idle mesh for ever. */
  renewSession(session: StoredSession): StoredSession {
    return session;
  }

  dropSession(sessionId: string): void {
    this.#sql.dropSession.run(sessionId);
  }

  agent(agent: AgentId): AgentRow | undefined {
    return rowOf(this.#sql.agent.get(agent));
  }

  agentNamed(name: string): AgentRow | undefined {
    return rowOf(this.#sql.agentNamed.get(name));
  }

  liveAgents(): readonly AgentRow[] {
    return this.#sql.liveAgents.all().map((row) => rowOf(row) as AgentRow);
  }

  /** Counted once, and then with every row that is put. */
  agentCounts(): { readonly rows: number; readonly live: number } {
    this.#counts ??= this.#sql.agentCounts.get() as { rows: number; live: number };
    return this.#counts;
  }

  /** Most changes keep the status. Writing only the other columns then leaves the index of names, and its page, alone. */
  putAgent(row: AgentRow): void {
    const { agent, epoch, owner, sessionId, status, name, programHash, revision } = row;
    const replica = row.replicas?.join(",") ?? null;
    const moved = this.#sql.moveAgent.run(epoch, owner, sessionId, revision, replica, agent, status).changes;
    if (moved === 0) {
      this.#count(this.agent(agent), row);
      this.#sql.putAgent.run(
        ...[agent, epoch, owner, sessionId, status, name, programHash, revision, replica],
      );
    }
    this.#sql.putChange.run(revision, JSON.stringify(row));
    dropOldest(this.#sql.dropChange, revision, this.#limits.changes);
  }

  #count(before: AgentRow | undefined, after: AgentRow): void {
    const { rows, live } = this.agentCounts();
    const lived = before !== undefined && before.status !== "terminated" ? 1 : 0;
    const lives = after.status === "terminated" ? 0 : 1;
    this.#counts = { rows: rows + (before === undefined ? 1 : 0), live: live + lives - lived };
  }

  changes(revision: number, limit: number): readonly AgentRow[] {
    return this.#sql.changes
      .all(revision, limit)
      .map((change) => JSON.parse(String(change["row"])) as AgentRow);
  }

  oldestChange(): number | undefined {
    const oldest = this.#sql.oldestChange.get()?.["oldest"];
    return oldest === null || oldest === undefined ? undefined : Number(oldest);
  }

  recall(requestId: string): RememberedOutcome | undefined {
    const found = this.#sql.recall.get(requestId);
    if (found === undefined) return undefined;
    return {
      fingerprint: String(found["fingerprint"]),
      outcome: JSON.parse(String(found["outcome"])) as Outcome,
    };
  }

  remember(requestId: string, { fingerprint, outcome }: RememberedOutcome): void {
    const { lastInsertRowid } = this.#sql.remember.run(requestId, fingerprint, JSON.stringify(outcome));
    dropOldest(this.#sql.dropRequest, Number(lastInsertRowid), this.#limits.requests);
  }
}

/** A row as the rules know it: without replicas where the column is empty. */
function rowOf(found: Record<string, unknown> | undefined): AgentRow | undefined {
  if (found === undefined) return undefined;
  const { replica, ...row } = found as unknown as AgentRow & { readonly replica: string | null };
  return replica === null ? row : { ...row, replicas: replica.split(",") as NodeId[] };
}

/** Keep at least the newest `limit` rows. Large tables drop several at a time, so that most changes touch no old page. */
function dropOldest(statement: StatementSync, newest: number, limit: number): void {
  const step = Math.max(1, Math.floor(limit / DROP_SHARE));
  if (newest % step === 0) statement.run(newest - limit);
}
