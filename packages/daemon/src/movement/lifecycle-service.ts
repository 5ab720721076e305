/**
 * Pause and resume of agents by request, from any node.
 *
 * LS1. The owner performs it. The cell stands still before its row says so, and its row says that it runs before it goes on: what the row says
 *      of a node that died is never more than what was.
 * LS2. A pause that cannot be written down is taken back: the agent goes on.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { AgentRow, Meter } from "@glia-os/abi/ports";
import type { CellGate } from "@glia-os/cells";
import type { Mesh } from "@glia-os/mesh-core";
import { UnknownAgentError } from "../errors.ts";
import { agentIn, encodeBody } from "../node-call.ts";
import type { AgentView } from "../node-views.ts";
import type { AgentRows } from "./agent-rows.ts";
import type { MovementApi } from "./movement-api.ts";

/** What nodes ask of each other for it. Body: `{agent}`. Answer: null. */
export const LIFECYCLE_CALLS = { pause: "agent.pause", resume: "agent.resume" } as const;
/** Longer than a freeze may take. */
const PAUSE_TIMEOUT_MS = 20_000;

/** How agents are found and shown. */
export interface AgentDirectory {
  /** The row of a living agent, by name or id. @throws {UnknownAgentError}, {AgentFailedError} */
  find(text: string): Promise<AgentRow>;
  view(row: AgentRow): Promise<AgentView>;
}

/** What it works with. */
export interface LifecycleParts {
  readonly mesh: Mesh;
  readonly gate: CellGate | undefined;
  readonly rows: AgentRows;
  readonly agents: AgentDirectory;
  readonly meter: Meter;
}

/** What is counted of it. */
const LIFECYCLE_TOTAL = "glia_agent_lifecycle_total";

/** The operations. */
export class LifecycleService implements Pick<MovementApi, "pause" | "resume"> {
  readonly #parts: LifecycleParts;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
    const { mesh, meter } = parts;
    for (const change of ["pause", "resume"]) meter.count(LIFECYCLE_TOTAL, 0, { change });
    mesh.handle(LIFECYCLE_CALLS.pause, async (_, body) => encodeBody(await this.#pauseHere(agentIn(body))));
    mesh.handle(LIFECYCLE_CALLS.resume, async (_, body) => encodeBody(await this.#resumeHere(agentIn(body))));
  }

  pause(text: string): Promise<AgentView> {
    return this.#atOwner(text, LIFECYCLE_CALLS.pause, (agent) => this.#pauseHere(agent));
  }

  resume(text: string): Promise<AgentView> {
    return this.#atOwner(text, LIFECYCLE_CALLS.resume, (agent) => this.#resumeHere(agent));
  }

  async #atOwner(text: string, method: string, here: (agent: AgentId) => Promise<null>): Promise<AgentView> {
    const { mesh, agents } = this.#parts;
    const { agent, owner } = await agents.find(text);
    if (owner === mesh.self) await here(agent);
    else await mesh.call(owner, method, encodeBody({ agent }), { timeoutMs: PAUSE_TIMEOUT_MS });
    return agents.view(await agents.find(agent));
  }

  async #pauseHere(agent: AgentId): Promise<null> {
    const { rows } = this.#parts;
    const gate = this.#gate(agent);
    await gate.pause(agent);
    try {
      await rows.setStatus(agent, "suspended");
    } catch (error) {
      await gate.resume(agent);
      throw error;
    }
    this.#parts.meter.count(LIFECYCLE_TOTAL, 1, { change: "pause" });
    return null;
  }

  async #resumeHere(agent: AgentId): Promise<null> {
    const { rows } = this.#parts;
    const gate = this.#gate(agent);
    if (gate.stands(agent)?.state === "suspended") await rows.setStatus(agent, "running");
    await gate.resume(agent);
    this.#parts.meter.count(LIFECYCLE_TOTAL, 1, { change: "resume" });
    return null;
  }

  #gate(agent: AgentId): CellGate {
    const { gate } = this.#parts;
    if (gate === undefined) throw new UnknownAgentError(agent);
    return gate;
  }
}
