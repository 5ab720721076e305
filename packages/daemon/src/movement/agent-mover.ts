/**
 * Moves agents of this node to where they are best placed.
 *
 * AM1. The best node is tried first, then the next, at most {@link TRIES}: a node that refuses is passed over for this agent.
 * AM2. Nodes are asked anew for every agent, so what was sent somewhere counts there.
 * AM3. Of agents that wait for their turn, the one that took most messages since it was looked at last goes first: its move takes most load away.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import type { CellGate } from "@glia-os/cells";
import type { Mesh } from "@glia-os/mesh-core";
import type { PlacementService } from "./placement-service.ts";

/** Nodes that are tried for one agent. */
export const TRIES = 3;
/** What says that the agent cannot move at all, wherever to. */
const IMMOVABLE = "cells.immovable-capability";

/** What became of an agent that was to move. */
export type MoveOutcome =
  | { readonly kind: "moved"; readonly to: NodeId }
  | { readonly kind: "gone" }
  | { readonly kind: "stuck"; readonly why: string };

/** What it works with. */
export interface AgentMoverParts {
  readonly mesh: Mesh;
  readonly gate: CellGate;
  readonly placement: PlacementService;
}

/** Moves agents. */
export class AgentMover {
  readonly #parts: AgentMoverParts;
  /** Messages each agent had received when it was looked at last. */
  #received = new Map<AgentId, number>();

  constructor(parts: AgentMoverParts) {
    this.#parts = parts;
  }

  /** Agents that live here, by their rows. */
  async here(): Promise<readonly AgentRow[]> {
    const { mesh, gate } = this.#parts;
    const rows = await mesh.coordination.listAgents();
    return rows.filter(({ owner, agent }) => owner === mesh.self && gate.stands(agent) !== undefined);
  }

  /** The same, the busiest first (AM3). */
  async busiestFirst(): Promise<readonly AgentRow[]> {
    const { gate } = this.#parts;
    const before = this.#received;
    const now = new Map<AgentId, number>();
    const rows = await Promise.all(
      (await this.here()).map(async (row) => {
        const { received = 0, waiting = 0 } = (await gate.report(row.agent)) ?? {};
        now.set(row.agent, received);
        return { row, taken: received - (before.get(row.agent) ?? 0), waiting };
      }),
    );
    this.#received = now;
    return rows.sort((a, b) => b.taken - a.taken || b.waiting - a.waiting).map(({ row }) => row);
  }

  /** Move an agent away (AM1). Never rejects. */
  async away(row: AgentRow): Promise<MoveOutcome> {
    return this.to(
      row,
      (await this.#parts.placement.candidates()).map(({ node }) => node),
    );
  }

  /** Move an agent to the first of these nodes that takes it (AM1). Never rejects. */
  async to({ agent }: AgentRow, nodes: readonly NodeId[]): Promise<MoveOutcome> {
    const { mesh, gate } = this.#parts;
    let why = "no other node takes agents";
    for (const node of nodes.slice(0, TRIES)) {
      if (gate.stands(agent) === undefined) return { kind: "gone" };
      try {
        await mesh.migrate(agent, node);
        return { kind: "moved", to: node };
      } catch (error) {
        why = reasonOf(error);
        if (rootCode(error) === IMMOVABLE) break;
      }
    }
    return gate.stands(agent) === undefined ? { kind: "gone" } : { kind: "stuck", why };
  }
}

/** The innermost refusal: what the other node, or the agent's runner, said. */
function root(error: unknown): unknown {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return at;
}

function rootCode(error: unknown): string | undefined {
  return errorCodeOf(root(error));
}

function reasonOf(error: unknown): string {
  const last = root(error);
  return (last instanceof Error ? last.message : String(last)).slice(0, 200);
}
