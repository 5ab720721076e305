/**
 * Which nodes an agent of this node can go to, the best first: asked of all members that are alive.
 *
 * PS1. A member that does not answer within {@link ASK_MS} is no candidate.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock } from "@glia-os/abi/ports";
import { type PlacementCandidate, ranked } from "@glia-os/cells";
import type { Mesh } from "@glia-os/mesh-core";
import { decodeBody, encodeBody } from "../node-call.ts";
import type { ConditionedNode, NodeCondition } from "./move-api.ts";

/** How long a member may take to answer (PS1). */
export const ASK_MS = 1000;
/** What members are asked. Body: null. Answer: their {@link NodeCondition}. */
export const CONDITION_CALL = "node.condition";

/** What it works with. */
export interface PlacementParts {
  readonly mesh: Mesh;
  readonly clock: Clock;
  /** What this node says of itself; undefined on a client. */
  readonly own: () => NodeCondition | undefined;
}

/** Asks around. */
export class PlacementService {
  readonly #parts: PlacementParts;

  constructor(parts: PlacementParts) {
    this.#parts = parts;
    const { mesh, own } = parts;
    mesh.handle(CONDITION_CALL, async () => encodeBody(own() ?? null));
  }

  /** Every member, with its condition if it answers. */
  conditions(): Promise<readonly ConditionedNode[]> {
    const { mesh } = this.#parts;
    return Promise.all(
      mesh.members().map(async ({ node, name, role, state }) => {
        const asked = state === "alive" || state === "suspect" ? await this.#ask(node) : undefined;
        const facts = { node, name, role, state, self: node === mesh.self, anchor: node === mesh.anchor };
        return { ...facts, rttMs: asked?.rttMs, condition: asked?.condition };
      }),
    );
  }

  /** Other members that take agents, the best first. */
  async candidates(): Promise<readonly PlacementCandidate[]> {
    const found = (await this.conditions()).flatMap(({ node, self, condition, rttMs }) => {
      if (self || condition === undefined) return [];
      const { takes, readings, hosting } = condition;
      return [{ node, takes, hosting, rttMs, cpuLoad: readings.cpuLoad, memoryLoad: readings.memoryLoad }];
    });
    return ranked(found);
  }

  async #ask(
    node: NodeId,
  ): Promise<{ readonly condition: NodeCondition; readonly rttMs: number | undefined } | undefined> {
    const { mesh, clock, own } = this.#parts;
    if (node === mesh.self) {
      const condition = own();
      return condition && { condition, rttMs: undefined };
    }
    const startMs = clock.monotonicMs();
    try {
      const answer = await mesh.call(node, CONDITION_CALL, encodeBody(null), { timeoutMs: ASK_MS });
      const condition = decodeBody(answer) as NodeCondition | null;
      if (condition === null || typeof condition.takes !== "boolean") return undefined;
      return { condition, rttMs: clock.monotonicMs() - startMs };
    } catch {
      return undefined;
    }
  }
}
