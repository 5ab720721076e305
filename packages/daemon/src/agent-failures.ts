/**
 * Why agents of this node failed, for those who look at them until they are removed.
 *
 * AF1. The newest {@link FAILURES_MOST} are kept, each with at most {@link TEXT_MOST} characters.
 */
import type { AgentId } from "@glia-os/abi/ids";

/** Failures that are remembered. */
export const FAILURES_MOST = 256;
/** Characters of one. */
export const TEXT_MOST = 500;

/** Reasons by agent. */
export class AgentFailures {
  readonly #reasons = new Map<AgentId, string>();

  /** An agent failed. */
  add(agent: AgentId, why: string): void {
    this.#reasons.delete(agent);
    this.#reasons.set(agent, why.slice(0, TEXT_MOST));
    for (const oldest of this.#reasons.keys()) {
      if (this.#reasons.size <= FAILURES_MOST) break;
      this.#reasons.delete(oldest);
    }
  }

  /** Why it failed; undefined when that is not known here any more. */
  of(agent: AgentId): string | undefined {
    return this.#reasons.get(agent);
  }

  /** It was removed. */
  delete(agent: AgentId): void {
    this.#reasons.delete(agent);
  }
}
