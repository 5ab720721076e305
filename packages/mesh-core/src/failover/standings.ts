/**
 * Which of several replicas asks for an agent whose owner is gone (docs/spec/replica.md, RH7).
 *
 * SD1. The longest copy goes first: of the log that was begun last, the one with the most entries; of those that have as many, the one that the row
 *      names first. So one node at a time gives way to none.
 * SD2. It is an order, not a rule of safety: a replica that is not heard, or does not ask itself, is not waited for. Coordination decides.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentRow, Clock } from "@glia-os/abi/ports";
import type { CallOptions } from "../mesh-types.ts";
import { REPLICA_METHODS, readStanding, type Standing, standingBody } from "./messages.ts";

/** How long another replica may take to say how its copy stands, in milliseconds. */
export const STANDING_MS = 300;
/** One that did not is not asked again for so long, in milliseconds. */
export const DEAF_MS = 5000;

/** What asking the others needs. */
export interface StandingsOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  call(node: NodeId, method: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array>;
}

/** Asks the other replicas of agents. */
export class Standings {
  readonly #o: StandingsOptions;
  readonly #deaf = new Map<NodeId, number>();

  constructor(options: StandingsOptions) {
    this.#o = options;
  }

  /** Whether another replica that the row names asks for the agent, and goes first (SD1). */
  async yields({ agent, replicas = [] }: AgentRow, own: Standing): Promise<boolean> {
    const { self, clock } = this.#o;
    const nowMs = clock.monotonicMs();
    for (const [node, untilMs] of this.#deaf) if (untilMs <= nowMs) this.#deaf.delete(node);
    const others = replicas.filter((node) => node !== self && !this.#deaf.has(node));
    const rank = replicas.indexOf(self);
    const firsts = others.map(async (node) => {
      const other = await this.#ask(node, agent);
      return other !== undefined && goesFirst(other, own, replicas.indexOf(node) < rank);
    });
    return (await Promise.all(firsts)).includes(true);
  }

  async #ask(node: NodeId, agent: AgentId): Promise<Standing | undefined> {
    const { call, clock } = this.#o;
    try {
      const body = standingBody(agent);
      const answer = await call(node, REPLICA_METHODS.standing, body, { timeoutMs: STANDING_MS });
      return readStanding(answer);
    } catch {
      this.#deaf.set(node, clock.monotonicMs() + DEAF_MS);
      return undefined;
    }
  }
}

function goesFirst(other: Standing, own: Standing, isNamedFirst: boolean): boolean {
  if (other.since !== own.since) return other.since > own.since;
  return other.held === own.held ? isNamedFirst : other.held > own.held;
}
