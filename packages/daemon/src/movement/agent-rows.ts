/**
 * Rows of agents that this node owns, changed by request.
 *
 * AO1. A row is changed only while it names this node, under the epoch it has; the cell's epoch follows the row's.
 * AO2. A change whose answer was lost is asked again under its request id, so it has one effect.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentRow, AgentStatus, Coordination, Random } from "@glia-os/abi/ports";
import type { CellGate } from "@glia-os/cells";
import { UnknownAgentError } from "../errors.ts";
import { requestId } from "../request-id.ts";

/** Attempts at one change: each answer that was lost, and each epoch that was another, takes one. */
const ATTEMPTS = 3;
const ANSWER_LOST: ReadonlySet<string> = new Set(["mesh.call-timeout", "mesh.anchor-unreachable"]);

/** What changing rows takes. */
export interface AgentRowsParts {
  readonly self: NodeId;
  readonly coordination: Coordination;
  readonly gate: Pick<CellGate, "stands" | "renew"> | undefined;
  readonly random: Random;
  readonly sessionId: () => string;
}

/** Changes rows of this node's agents. */
export class AgentRows {
  readonly #parts: AgentRowsParts;

  constructor(parts: AgentRowsParts) {
    this.#parts = parts;
  }

  /** The row of an agent that this node owns, and that has not ended. @throws {UnknownAgentError} */
  async owned(agent: AgentId): Promise<AgentRow> {
    const { self, coordination } = this.#parts;
    const row = await coordination.getAgent(agent);
    if (row === undefined || row.owner !== self || row.status === "terminated")
      throw new UnknownAgentError(agent);
    return row;
  }

  /** Give the row of an agent of this node another status (AO1, AO2). */
  async setStatus(agent: AgentId, status: AgentStatus): Promise<AgentRow> {
    const { self, random, gate, sessionId } = this.#parts;
    const id = requestId(random);
    for (let attempt = 1; ; attempt++) {
      const { epoch, replicas = [] } = await this.owned(agent);
      const change = {
        owner: self,
        sessionId: sessionId(),
        status,
        replicas,
      };
      const outcome = await this.#swap(agent, epoch, change, attempt === 1 ? id : requestId(random));
      if (outcome?.kind === "committed") {
        if (gate?.stands(agent) !== undefined) gate.renew(agent, outcome.row.epoch);
        return outcome.row;
      }
      if (attempt === ATTEMPTS) throw new UnknownAgentError(agent);
    }
  }

  /** One swap; undefined when its answer was lost twice over and the row is to be read again. */
  async #swap(
    ...args: Parameters<Coordination["compareAndSwap"]>
  ): Promise<Awaited<ReturnType<Coordination["compareAndSwap"]>> | undefined> {
    const { coordination } = this.#parts;
    try {
      return await coordination.compareAndSwap(...args);
    } catch (error) {
      if (!ANSWER_LOST.has(errorCodeOf(error) ?? "")) throw error;
      return coordination.compareAndSwap(...args);
    }
  }
}
