/**
 * Agents that were here and went elsewhere: what their former host answers.
 *
 * RC1. An agent is answered for {@link FORWARD_MS}, one lifetime of a location record, and at most {@link RETIRED_MAX} are remembered.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { Clock } from "@glia-os/abi/ports";
import type { LinkVerdict, Moved } from "@glia-os/mesh-core";

/** How long a former host answers for an agent: ten minutes, the lifetime of a location record. */
export const FORWARD_MS = 600_000;
/** Most agents a former host answers for. */
export const RETIRED_MAX = 10_000;

/** Those of one node. */
export class RetiredCells {
  readonly #clock: Clock;
  readonly #retired = new Map<AgentId, { readonly moved: Moved; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is said to a message for an agent that is not here. */
  answer(agent: AgentId): LinkVerdict {
    const retired = this.#retired.get(agent);
    if (retired === undefined) return { kind: "unknown-agent" };
    if (retired.untilMs >= this.#clock.monotonicMs()) return { kind: "moved", ...retired.moved };
    this.#retired.delete(agent);
    return { kind: "unknown-agent" };
  }

  /** It went there. */
  remember(moved: Moved): void {
    this.#retired.delete(moved.agent);
    this.#retired.set(moved.agent, { moved, untilMs: this.#clock.monotonicMs() + FORWARD_MS });
    for (const oldest of this.#retired.keys()) {
      if (this.#retired.size <= RETIRED_MAX) break;
      this.#retired.delete(oldest);
    }
  }

  /** It is here again. */
  delete(agent: AgentId): void {
    this.#retired.delete(agent);
  }
}
