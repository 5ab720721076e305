/** Drains, policies, conditions and cancelled moves, from any node: performed by the node they are about. */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { Meter } from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";
import { BadOptionsError } from "../errors.ts";
import { agentIn, decodeBody, encodeBody } from "../node-call.ts";
import type { Drain } from "./drain-service.ts";
import type { AgentDirectory } from "./lifecycle-service.ts";
import type { ConditionedNode, DrainView, MoveApi, NodeCondition } from "./move-api.ts";
import type { PlacementService } from "./placement-service.ts";
import type { PolicyWatch } from "./policy-watch.ts";

/** What nodes ask of each other for it; bodies and answers are JSON. */
export const MOVE_CALLS = {
  /** `{agent}`. Answer: `{rolledBack}`. */
  cancel: "agent.cancel-migration",
  /** `{keep}`, null and null. Answer: the drain. */
  drain: "node.drain",
  drainStatus: "node.drain-status",
  undrain: "node.undrain",
  /** `{policy, on}`. Answer: the node's condition. */
  policy: "node.policy",
} as const;

/** Longer than an abort by swap may take. */
const CANCEL_MS = 60_000;

/** What a node that hosts agents has for it. */
export interface OwnMoves {
  readonly drain: Drain;
  readonly policies: PolicyWatch;
  readonly condition: () => NodeCondition;
}

/** What it works with. */
export interface MoveServiceParts {
  readonly mesh: Mesh;
  readonly agents: AgentDirectory;
  readonly placement: PlacementService;
  readonly member: (text: string) => Promise<NodeId>;
  /** Absent on a client. */
  readonly own: OwnMoves | undefined;
  readonly meter: Meter;
}

const CANCELLED_TOTAL = "glia_moves_cancelled_total";

/** The operations. */
export class MoveService implements MoveApi {
  readonly #parts: MoveServiceParts;

  constructor(parts: MoveServiceParts) {
    this.#parts = parts;
    parts.meter.count(CANCELLED_TOTAL, 0);
    if (parts.own !== undefined) this.#answer(parts.own);
  }

  async cancelMigration(text: string): Promise<{ readonly rolledBack: boolean }> {
    const { mesh, agents } = this.#parts;
    const { agent, owner } = await agents.find(text);
    if (owner === mesh.self) return this.#cancelHere(agent);
    const options = { timeoutMs: CANCEL_MS };
    const answer = await mesh.call(owner, MOVE_CALLS.cancel, encodeBody({ agent }), options);
    return decodeBody(answer) as { readonly rolledBack: boolean };
  }

  conditions(): Promise<readonly ConditionedNode[]> {
    return this.#parts.placement.conditions();
  }

  drain(node?: string, keep?: boolean): Promise<DrainView> {
    const kept = keep ?? true;
    return this.#at(node, MOVE_CALLS.drain, { keep: kept }, ({ drain }) => drain.begin(kept));
  }

  drainStatus(node?: string): Promise<DrainView> {
    return this.#at(node, MOVE_CALLS.drainStatus, null, ({ drain }) => drain.view());
  }

  undrain(node?: string): Promise<DrainView> {
    return this.#at(node, MOVE_CALLS.undrain, null, ({ drain }) => drain.end());
  }

  setPolicy(policy: string, on: boolean, node?: string): Promise<NodeCondition> {
    return this.#at(node, MOVE_CALLS.policy, { policy, on }, (own) => setPolicy(own, policy, on));
  }

  async #at<Answer>(
    text: string | undefined,
    method: string,
    body: unknown,
    here: (own: OwnMoves) => Answer,
  ): Promise<Answer> {
    const { mesh, own, member } = this.#parts;
    const named = text ?? undefined; // What is left out comes as null over a control socket.
    const node = named === undefined ? mesh.self : await member(named);
    if (node !== mesh.self) return decodeBody(await mesh.call(node, method, encodeBody(body))) as Answer;
    if (own === undefined) throw new BadOptionsError("A client hosts no agents");
    return here(own);
  }

  async #cancelHere(agent: AgentId): Promise<{ readonly rolledBack: boolean }> {
    const { mesh, meter } = this.#parts;
    const rolledBack = await mesh.cancelMigration(agent);
    if (rolledBack) meter.count(CANCELLED_TOTAL);
    return { rolledBack };
  }

  #answer(own: OwnMoves): void {
    const { mesh } = this.#parts;
    const answers = (method: string, act: (body: Uint8Array) => unknown): void =>
      mesh.handle(method, async (_, body) => encodeBody(await act(body)));
    answers(MOVE_CALLS.cancel, (body) => this.#cancelHere(agentIn(body)));
    answers(MOVE_CALLS.drain, (body) => own.drain.begin(fieldsIn(body)["keep"] !== false));
    answers(MOVE_CALLS.drainStatus, () => own.drain.view());
    answers(MOVE_CALLS.undrain, () => own.drain.end());
    answers(MOVE_CALLS.policy, (body) => {
      const { policy, on } = fieldsIn(body);
      return setPolicy(own, String(policy), on === true);
    });
  }
}

function setPolicy({ policies, condition }: OwnMoves, policy: string, on: boolean): NodeCondition {
  policies.set(policy, on);
  return condition();
}

function fieldsIn(body: Uint8Array): Readonly<Record<string, unknown>> {
  return (decodeBody(body) ?? {}) as Readonly<Record<string, unknown>>;
}
