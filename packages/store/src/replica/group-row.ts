/**
 * The row of a replicated journal in the coordination store: who leads it, under which term.
 *
 * R1. The term is the epoch of the row. A node leads a term only if it wrote the row of that epoch.
 * R2. Members and copies are fixed when the group is founded; the row holds their hash.
 * R3. A row that is `suspended` is being founded. Only a founding with all members, all of them empty, makes it `running`.
 */
import { createHash } from "node:crypto";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentRow, AgentStatus, Coordination, NodeSession } from "@glia-os/abi/ports";
import { ReplicaForeignError, ReplicaLostError } from "./errors.ts";

/** What fixes a group. */
export interface ReplicaGroup {
  readonly group: string;
  readonly members: readonly NodeId[];
  /** On how many members beside the leader a record is flushed before it is acknowledged. */
  readonly copies: number;
}

/** The agent id under which the row of a group is kept. */
export function groupIdOf(group: string): AgentId {
  return hashOf(`glia/replica-group/v1\0${group}`).slice(0, 32) as AgentId;
}

/** The rows of one group, as one session writes them. */
export class GroupRow {
  readonly #group: ReplicaGroup;
  readonly #coordination: Coordination;
  readonly #session: NodeSession;
  readonly #id: AgentId;
  readonly #fixed: string;

  constructor(group: ReplicaGroup, coordination: Coordination, session: NodeSession) {
    this.#group = group;
    this.#coordination = coordination;
    this.#session = session;
    this.#id = groupIdOf(group.group);
    this.#fixed = hashOf(JSON.stringify([group.group, [...group.members].sort(), group.copies]));
  }

  /** The row, made where there is none. @throws `store.replica-foreign` (R2). */
  async read(): Promise<AgentRow> {
    const row = (await this.#coordination.getAgent(this.#id)) ?? (await this.#create());
    if (row.programHash !== this.#fixed)
      throw new ReplicaForeignError(this.#group.group, "it was founded with other members or copies");
    return row;
  }

  /** Lead the term after `row` (R1). @throws `store.replica-lost` when another node was faster. */
  async claim(row: AgentRow, status: AgentStatus): Promise<AgentRow> {
    const { node, sessionId } = this.#session;
    const requestId = hashOf(`${this.#id} ${row.epoch} ${sessionId}`);
    const change = { owner: node, sessionId, status };
    const outcome = await this.#coordination.compareAndSwap(this.#id, row.epoch, change, requestId);
    if (outcome.kind === "committed") return outcome.row;
    const winner = outcome.kind === "conflict" ? outcome.row.owner.slice(0, 8) : "nobody";
    throw new ReplicaLostError(this.#group.group, `node ${winner} leads it since`);
  }

  async #create(): Promise<AgentRow> {
    const { node, sessionId } = this.#session;
    const row = {
      agent: this.#id,
      owner: node,
      sessionId,
      status: "suspended",
      name: `replica/${this.#group.group}`,
      programHash: this.#fixed,
    } as const;
    try {
      return await this.#coordination.createAgent(row, hashOf(`${this.#id} ${sessionId}`));
    } catch (error) {
      const there = await this.#coordination.getAgent(this.#id);
      if (errorCodeOf(error) === "store.agent-exists" && there !== undefined) return there;
      throw error;
    }
  }
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
