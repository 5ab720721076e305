/**
 * `Coordination` in the memory of one process: for tests, simulations and a node that is alone.
 *
 * M1. Nothing survives the process. The epochs of a new store start again, so never use one where agents outlive it.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentRow, Clock, Coordination } from "@glia-os/abi/ports";
import { CheckedCoordination } from "./checked-coordination.ts";
import { compareCodePoints } from "./code-points.ts";
import { StoreClosedError } from "./errors.ts";
import { type CoordinationLimits, limitsOf } from "./limits.ts";
import { CoordinationRules } from "./rules.ts";
import type { Counter, RememberedOutcome, StoredSession, Tables } from "./tables.ts";

/** What a store in memory is made from. */
export interface MemoryCoordinationOptions {
  /** Judges leases. */
  readonly clock: Clock;
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<CoordinationLimits>;
}

/** A store in memory. @throws `abi.malformed` for a bad limit. */
export function createMemoryCoordination(options: MemoryCoordinationOptions): Coordination {
  const limits = limitsOf(options.limits);
  const rules = new CoordinationRules(new MemoryTables(limits), options.clock, limits);
  let closed = false;
  return new CheckedCoordination({
    async ask(request) {
      if (closed) throw new StoreClosedError();
      return rules.perform(request);
    },
    async end() {
      closed = true;
    },
  });
}

class MemoryTables implements Tables {
  readonly #limits: CoordinationLimits;
  readonly #counters: Record<Counter, number> = { fence: 0, revision: 0 };
  readonly #sessions: Map<string, StoredSession> = new Map();
  readonly #sessionIds: Map<NodeId, string> = new Map();
  readonly #agents: Map<AgentId, AgentRow> = new Map();
  readonly #names: Map<string, AgentId> = new Map();
  readonly #changes: Map<number, AgentRow> = new Map();
  readonly #requests: Map<string, RememberedOutcome> = new Map();
  /** Request ids in the order they came, as a ring. (The first key of a Map that loses its first keys is slow to find in V8.) */
  readonly #requestIds: string[] = [];
  #remembered = 0;

  constructor(limits: CoordinationLimits) {
    this.#limits = limits;
  }

  reread(): void {}

  counter(name: Counter): number {
    return this.#counters[name];
  }

  advance(name: Counter): number {
    this.#counters[name] += 1;
    return this.#counters[name];
  }

  sessions(): readonly StoredSession[] {
    return [...this.#sessions.values()];
  }

  sessionOf(node: NodeId): StoredSession | undefined {
    const id = this.#sessionIds.get(node);
    return id === undefined ? undefined : this.#sessions.get(id);
  }

  session(sessionId: string): StoredSession | undefined {
    return this.#sessions.get(sessionId);
  }

  sessionCount(): number {
    return this.#sessions.size;
  }

  putSession(session: Omit<StoredSession, "renewals">): StoredSession {
    const stored = { ...session, renewals: 0 };
    this.#sessions.set(session.sessionId, stored);
    this.#sessionIds.set(session.node, session.sessionId);
    return stored;
  }

  renewSession(session: StoredSession): StoredSession {
    return session;
  }

  dropSession(sessionId: string): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#sessions.delete(sessionId);
    this.#sessionIds.delete(session.node);
  }

  agent(agent: AgentId): AgentRow | undefined {
    return this.#agents.get(agent);
  }

  agentNamed(name: string): AgentRow | undefined {
    const agent = this.#names.get(name);
    return agent === undefined ? undefined : this.#agents.get(agent);
  }

  liveAgents(): readonly AgentRow[] {
    return [...this.#names.values()]
      .map((agent) => this.#agents.get(agent)!)
      .sort((a, b) => compareCodePoints(a.name, b.name));
  }

  agentCounts(): { readonly rows: number; readonly live: number } {
    return { rows: this.#agents.size, live: this.#names.size };
  }

  putAgent(row: AgentRow): void {
    this.#agents.set(row.agent, row);
    if (row.status === "terminated") this.#names.delete(row.name);
    else this.#names.set(row.name, row.agent);
    this.#changes.set(row.revision, row);
    this.#changes.delete(row.revision - this.#limits.changes);
  }

  changes(revision: number, limit: number): readonly AgentRow[] {
    const rows: AgentRow[] = [];
    for (let next = revision + 1; rows.length < limit; next++) {
      const row = this.#changes.get(next);
      if (row === undefined) break;
      rows.push(row);
    }
    return rows;
  }

  oldestChange(): number | undefined {
    return this.#changes.size === 0 ? undefined : this.#counters.revision - this.#changes.size + 1;
  }

  recall(requestId: string): RememberedOutcome | undefined {
    return this.#requests.get(requestId);
  }

  remember(requestId: string, remembered: RememberedOutcome): void {
    const slot = this.#remembered % this.#limits.requests;
    const oldest = this.#requestIds[slot];
    if (oldest !== undefined) this.#requests.delete(oldest);
    this.#requestIds[slot] = requestId;
    this.#requests.set(requestId, remembered);
    this.#remembered += 1;
  }
}
