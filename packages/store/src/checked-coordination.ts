/** `Coordination` in front of anything that answers requests: checks arguments, then asks (Q1). */
import { type AgentId, type Epoch, type NodeId, parseAgentId } from "@glia-os/abi/ids";
import type {
  AgentChange,
  AgentRow,
  CasOutcome,
  Coordination,
  CoordinationChange,
  NodeSession,
  TakeOver,
} from "@glia-os/abi/ports";
import {
  type CoordinationReply,
  type CoordinationRequest,
  changesSinceRequest,
  checkName,
  compareAndSwapRequest,
  createAgentRequest,
  type NewAgent,
  openSessionRequest,
  sessionRequest,
  takeOverRequest,
} from "./request.ts";

/** Who answers requests. */
export interface Answerer {
  /** Answer one checked request; a mutation is durable when the promise resolves. */
  ask(request: CoordinationRequest): Promise<CoordinationReply>;
  /** Finish the requests under way and release everything. Idempotent. */
  end(): Promise<void>;
}

/** The port's methods over an {@link Answerer}. A bad argument rejects the returned promise; nothing throws synchronously. */
export class CheckedCoordination implements Coordination {
  readonly #answerer: Answerer;

  constructor(answerer: Answerer) {
    this.#answerer = answerer;
  }

  async openSession(node: NodeId, ttlMs: number, requestId: string): Promise<NodeSession> {
    return (await this.#answerer.ask(openSessionRequest(node, ttlMs, requestId))) as NodeSession;
  }

  async renewSession(sessionId: string): Promise<NodeSession> {
    return (await this.#answerer.ask(sessionRequest("renew-session", sessionId))) as NodeSession;
  }

  async closeSession(sessionId: string): Promise<void> {
    await this.#answerer.ask(sessionRequest("close-session", sessionId));
  }

  async createAgent(row: NewAgent, requestId: string): Promise<AgentRow> {
    return (await this.#answerer.ask(createAgentRequest(row, requestId))) as AgentRow;
  }

  async compareAndSwap(
    agent: AgentId,
    expected: Epoch,
    change: AgentChange,
    requestId: string,
  ): Promise<CasOutcome> {
    return (await this.#answerer.ask(
      compareAndSwapRequest(agent, expected, change, requestId),
    )) as CasOutcome;
  }

  async takeOver(agent: AgentId, expected: Epoch, change: TakeOver, requestId: string): Promise<CasOutcome> {
    return (await this.#answerer.ask(takeOverRequest(agent, expected, change, requestId))) as CasOutcome;
  }

  async getAgent(agent: AgentId): Promise<AgentRow | undefined> {
    return rowOrNone(await this.#answerer.ask({ op: "get-agent", agent: parseAgentId(agent) }));
  }

  async findAgent(name: string): Promise<AgentRow | undefined> {
    return rowOrNone(await this.#answerer.ask({ op: "find-agent", name: checkName(name) }));
  }

  async listAgents(): Promise<readonly AgentRow[]> {
    return (await this.#answerer.ask({ op: "list-agents" })) as readonly AgentRow[];
  }

  async changesSince(revision: number, limit: number): Promise<readonly CoordinationChange[]> {
    return (await this.#answerer.ask(changesSinceRequest(revision, limit))) as readonly CoordinationChange[];
  }

  async close(): Promise<void> {
    await this.#answerer.end();
  }
}

function rowOrNone(reply: CoordinationReply): AgentRow | undefined {
  return reply === null ? undefined : (reply as AgentRow);
}
