/**
 * The part of a coordination store that one group of requests is about, read at the start of its transaction. The rules work on
 * it as on any tables; what they wrote goes back at its end.
 *
 * S1. Everything the group may ask for was read under the lock of the transaction, so the rules decide on committed truth.
 * S2. A slice is used once. Nothing of it outlives the transaction.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import type { Counter, RememberedOutcome, StoredSession, Tables } from "../tables.ts";

/** The counters of a store. */
export interface Counters {
  fence: number;
  revision: number;
  /** Outcomes remembered so far, dropped ones included. */
  requests: number;
  sessions: number;
  rows: number;
  live: number;
}

/** What was read. */
export interface Loaded {
  readonly counters: Counters;
  readonly sessions?: readonly StoredSession[];
  readonly agents?: readonly AgentRow[];
  readonly requests?: readonly (RememberedOutcome & { readonly requestId: string })[];
  readonly changes?: readonly AgentRow[];
  readonly oldestChange?: number | undefined;
}

/** What was written. */
export interface Written {
  readonly droppedSessions: Set<string>;
  readonly sessions: Map<string, StoredSession>;
  readonly agents: Map<AgentId, AgentRow>;
  readonly changes: AgentRow[];
  readonly requests: ({ readonly requestId: string; readonly seq: number } & RememberedOutcome)[];
}

/** The tables of one transaction. */
export class CoordinationSlice implements Tables {
  readonly counters: Counters;
  readonly written: Written = {
    droppedSessions: new Set(),
    sessions: new Map(),
    agents: new Map(),
    changes: [],
    requests: [],
  };
  readonly #sessions: Map<string, StoredSession>;
  readonly #agents: Map<AgentId, AgentRow>;
  readonly #requests: Map<string, RememberedOutcome>;
  readonly #loaded: Loaded;

  constructor(loaded: Loaded) {
    this.counters = { ...loaded.counters };
    this.#loaded = loaded;
    this.#sessions = new Map(loaded.sessions?.map((session) => [session.sessionId, session]));
    this.#agents = new Map(loaded.agents?.map((row) => [row.agent, row]));
    this.#requests = new Map(loaded.requests?.map(({ requestId, ...remembered }) => [requestId, remembered]));
  }

  reread(): void {}

  counter(name: Counter): number {
    return this.counters[name];
  }

  advance(name: Counter): number {
    this.counters[name] += 1;
    return this.counters[name];
  }

  sessions(): readonly StoredSession[] {
    return [...this.#sessions.values()];
  }

  sessionOf(node: NodeId): StoredSession | undefined {
    for (const session of this.#sessions.values()) if (session.node === node) return session;
    return undefined;
  }

  session(sessionId: string): StoredSession | undefined {
    return this.#sessions.get(sessionId);
  }

  sessionCount(): number {
    return this.counters.sessions;
  }

  putSession(session: Omit<StoredSession, "renewals">): StoredSession {
    this.counters.sessions += 1;
    return this.#keepSession({ ...session, renewals: 0 });
  }

  /** Counted, so that the other processes see that the lease was renewed. */
  renewSession(session: StoredSession): StoredSession {
    return this.#keepSession({ ...session, renewals: session.renewals + 1 });
  }

  #keepSession(session: StoredSession): StoredSession {
    this.#sessions.set(session.sessionId, session);
    this.written.sessions.set(session.sessionId, session);
    return session;
  }

  dropSession(sessionId: string): void {
    if (!this.#sessions.delete(sessionId)) return;
    this.counters.sessions -= 1;
    this.written.sessions.delete(sessionId);
    this.written.droppedSessions.add(sessionId);
  }

  agent(agent: AgentId): AgentRow | undefined {
    return this.#agents.get(agent);
  }

  agentNamed(name: string): AgentRow | undefined {
    for (const row of this.#agents.values()) if (row.name === name && row.status !== "terminated") return row;
    return undefined;
  }

  liveAgents(): readonly AgentRow[] {
    return this.#loaded.agents ?? [];
  }

  agentCounts(): { readonly rows: number; readonly live: number } {
    return this.counters;
  }

  putAgent(row: AgentRow): void {
    const before = this.#agents.get(row.agent);
    if (before === undefined) this.counters.rows += 1;
    if (before !== undefined && before.status !== "terminated") this.counters.live -= 1;
    if (row.status !== "terminated") this.counters.live += 1;
    this.#agents.set(row.agent, row);
    this.written.agents.set(row.agent, row);
    this.written.changes.push(row);
  }

  changes(): readonly AgentRow[] {
    return this.#loaded.changes ?? [];
  }

  oldestChange(): number | undefined {
    return this.#loaded.oldestChange;
  }

  recall(requestId: string): RememberedOutcome | undefined {
    return this.#requests.get(requestId);
  }

  remember(requestId: string, remembered: RememberedOutcome): void {
    this.counters.requests += 1;
    this.#requests.set(requestId, remembered);
    this.written.requests.push({ requestId, seq: this.counters.requests, ...remembered });
  }
}
