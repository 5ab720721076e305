/**
 * Groups of coordination requests, each in one transaction.
 *
 * G1. A group that changes something holds the row of counters from its start to its commit: such groups of all clients are
 *     performed one after the other, and a decision rests on committed rows only.
 * G2. No answer leaves before the commit returned.
 */
import type { AgentRow, Clock } from "@glia-os/abi/ports";
import { answered } from "../../engine/answered.ts";
import { CoordinationSlice, type Counters, type Loaded } from "../../engine/coordination-slice.ts";
import type { GroupPerformer } from "../../engine/group-queue.ts";
import { onlyReads, readsMany, wantedBy } from "../../engine/wanted.ts";
import { Leases } from "../../leases.ts";
import type { CoordinationLimits } from "../../limits.ts";
import type { CoordinationReply, CoordinationRequest } from "../../request.ts";
import { CoordinationRules } from "../../rules.ts";
import type { Answer } from "../../serve.ts";
import type { StoredSession } from "../../tables.ts";
import type { Ask, EngineConnection } from "../connection.ts";
import type { CoordinationSql } from "./coordination-sql.ts";

/** Tables grow past their limits by at most one part in this many before their oldest rows go. */
const DROP_SHARE = 64;

/** What the groups of one client share. */
export interface CoordinationSetting {
  readonly sql: CoordinationSql;
  readonly clock: Clock;
  readonly limits: CoordinationLimits;
}

/** Performs groups over one connection. */
export class CoordinationGroups implements GroupPerformer<CoordinationRequest, CoordinationReply> {
  readonly #connection: EngineConnection;
  readonly #setting: CoordinationSetting;
  readonly #leases: Leases;

  constructor(connection: EngineConnection, setting: CoordinationSetting) {
    this.#connection = connection;
    this.#setting = setting;
    this.#leases = new Leases(setting.clock);
  }

  /** Count the lease of every session there is from now on. */
  async seeSessions(): Promise<void> {
    const { sql } = this.#setting;
    const rows = await this.#connection.transaction("read", (ask) => ask(sql.allSessions));
    for (const session of rows as unknown as readonly StoredSession[]) this.#leases.see(session);
  }

  groupOf(requests: readonly CoordinationRequest[]): number {
    const first = requests.findIndex(readsMany);
    return first === 0 ? 1 : first < 0 ? requests.length : first;
  }

  async perform(requests: readonly CoordinationRequest[]): Promise<readonly Answer<CoordinationReply>[]> {
    const kind = requests.every(onlyReads) ? "read" : "write";
    return this.#connection.transaction(kind, async (ask) => {
      const slice = new CoordinationSlice(await this.#load(ask, requests, kind));
      const { clock, limits } = this.#setting;
      const rules = new CoordinationRules(slice, clock, limits, this.#leases);
      const answers = requests.map((request) => answered(rules, request));
      if (kind === "write") await this.#store(ask, slice);
      return answers;
    });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #load(ask: Ask, requests: readonly CoordinationRequest[], kind: "read" | "write"): Promise<Loaded> {
    const { sql } = this.#setting;
    const [row] = await ask(kind === "write" ? sql.lock : sql.counters);
    const counters = row as unknown as Counters;
    const [first] = requests;
    if (first?.op === "list-agents") return { counters, agents: rowsOf(await ask(sql.liveAgents)) };
    if (first?.op === "changes-since") return this.#loadChanges(ask, counters, first.revision, first.limit);
    return this.#loadRows(ask, counters, requests);
  }

  async #loadChanges(ask: Ask, counters: Counters, revision: number, limit: number): Promise<Loaded> {
    const { sql } = this.#setting;
    const [oldest] = await ask(sql.oldestChange);
    const changes = (await ask(sql.changes, [revision, limit])).map(({ row }) => row as AgentRow);
    return { counters, changes, oldestChange: (oldest?.["oldest"] as number | null) ?? undefined };
  }

  async #loadRows(ask: Ask, counters: Counters, requests: readonly CoordinationRequest[]): Promise<Loaded> {
    const { sql, limits } = this.#setting;
    const wanted = wantedBy(requests);
    const crowded = counters.sessions + wanted.nodes.length > limits.sessions;
    const sessions =
      crowded && wanted.nodes.length > 0
        ? await ask(sql.allSessions)
        : wanted.sessions.length + wanted.nodes.length > 0
          ? await ask(sql.sessions, [wanted.sessions, wanted.nodes])
          : [];
    const agents =
      wanted.agents.length + wanted.names.length > 0
        ? rowsOf(await ask(sql.agents, [wanted.agents, wanted.names]))
        : [];
    const remembered = wanted.requestIds.length > 0 ? await ask(sql.requests, [wanted.requestIds]) : [];
    return { counters, sessions, agents, requests: remembered } as unknown as Loaded;
  }

  async #store(ask: Ask, { counters, written }: CoordinationSlice): Promise<void> {
    const { sql, limits } = this.#setting;
    const putAll = async (text: string, rows: readonly object[]): Promise<void> => {
      if (rows.length > 0) await ask(text, [JSON.stringify(rows)]);
    };
    if (written.droppedSessions.size > 0) await ask(sql.dropSessions, [[...written.droppedSessions]]);
    await putAll(sql.putSessions, [...written.sessions.values()]);
    const agents = [...written.agents.values()];
    const ended = agents.filter(({ status }) => status === "terminated").map(({ agent }) => agent);
    // Their names are free before another row of the same statement takes one.
    if (ended.length > 0) await ask(sql.endAgents, [ended]);
    await putAll(sql.putAgents, agents.map(storedRow));
    await putAll(
      sql.putChanges,
      written.changes.map((row) => ({ revision: row.revision, row })),
    );
    await putAll(sql.putRequests, written.requests);
    await dropOldest(ask, sql.dropChanges, counters.revision, written.changes.length, limits.changes);
    await dropOldest(ask, sql.dropRequests, counters.requests, written.requests.length, limits.requests);
    const { fence, revision, requests, sessions, rows, live } = counters;
    await ask(sql.count, [fence, revision, requests, sessions, rows, live]);
  }
}

/** Rows as the rules know them: without replicas where the column is empty. */
function rowsOf(found: readonly Record<string, unknown>[]): AgentRow[] {
  return found.map(
    ({ replica, ...row }) =>
      (replica === null ? row : { ...row, replicas: String(replica).split(",") }) as unknown as AgentRow,
  );
}

/** As the column has them. */
function storedRow({ replicas, ...row }: AgentRow): object {
  return { ...row, replica: replicas?.join(",") ?? null };
}

/** Keep at least the newest `limit` rows; drop several at a time, so that most groups touch no old row. */
async function dropOldest(
  ask: Ask,
  text: string,
  newest: number,
  added: number,
  limit: number,
): Promise<void> {
  const step = Math.max(1, Math.floor(limit / DROP_SHARE));
  if (Math.floor(newest / step) > Math.floor((newest - added) / step)) await ask(text, [newest - limit]);
}
