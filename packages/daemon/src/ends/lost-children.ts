/**
 * Tells parents here of children that were lost with another node (docs/spec/agents-service.md, "Ends").
 *
 * LC1. Lost are agents that the row of a node that stays away says run there and nowhere else. One that had ended is not among them: its parent heard of that.
 * LC2. While coordination does not answer, which it may not because it went with that node, it is asked again every {@link RETRY_MS}, up to {@link TRIES}
 *      times. A node that is back by then as the process it was has lost nothing; as another one, everything.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentRow, TimerHandle, Timers } from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";
import type { AgentsOffice } from "../agents/agents-office.ts";
import type { Absences } from "./absences.ts";

/** LC2. */
export const RETRY_MS = 5000;
/** LC2: ten minutes. */
export const TRIES = 120;

/** What it works with. */
export interface LostChildrenParts {
  readonly mesh: Pick<Mesh, "members" | "coordination">;
  readonly timers: Timers;
  readonly absences: Pick<Absences, "onAway">;
  /** Where the parents are. */
  readonly office: Pick<AgentsOffice, "parents" | "lost">;
}

interface Away {
  /** The process that the node was; undefined where that is not known any more. */
  readonly boot: number | undefined;
  tries: number;
}

/** The nodes whose agents are looked for. */
export class LostChildren {
  readonly #parts: LostChildrenParts;
  readonly #away = new Map<NodeId, Away>();
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(parts: LostChildrenParts) {
    this.#parts = parts;
    parts.absences.onAway((node) => {
      if (parts.office.parents === 0) return;
      this.#away.set(node, { boot: this.#memberOf(node)?.bootEpoch, tries: 0 });
      void this.#look();
    });
  }

  /** Look no more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#away.clear();
  }

  async #look(): Promise<void> {
    const { mesh, office } = this.#parts;
    const asked = [...this.#away];
    const rows = await mesh.coordination.listAgents().catch(() => undefined);
    if (this.#stopped) return;
    if (rows === undefined) return this.#later(asked);
    for (const [node, away] of asked) {
      if (this.#away.get(node) !== away) continue;
      this.#away.delete(node);
      if (!this.#isBackAsItWas(node, away)) office.lost(lostOf(node, rows));
    }
  }

  /** LC2. */
  #later(asked: readonly (readonly [NodeId, Away])[]): void {
    for (const [node, away] of asked) if (++away.tries > TRIES) this.#away.delete(node);
    if (this.#away.size === 0) return;
    this.#timer ??= this.#parts.timers.schedule(RETRY_MS, () => {
      this.#timer = undefined;
      void this.#look();
    });
  }

  #isBackAsItWas(node: NodeId, { boot }: Away): boolean {
    const member = this.#memberOf(node);
    return member?.state === "alive" && member.bootEpoch === boot;
  }

  #memberOf(node: NodeId): ReturnType<Mesh["members"]>[number] | undefined {
    return this.#parts.mesh.members().find((member) => member.node === node);
  }
}

/** LC1. What may go on elsewhere is not lost. */
function lostOf(node: NodeId, rows: readonly AgentRow[]): readonly AgentId[] {
  return rows
    .filter(({ owner, status, replicas = [] }) => {
      const runs = status === "running" || status === "suspended";
      return owner === node && runs && replicas.length === 0;
    })
    .map(({ agent }) => agent);
}
