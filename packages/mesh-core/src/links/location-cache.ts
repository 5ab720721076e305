/**
 * Where agents were last seen: a hint, never the truth (docs/spec/links.md).
 *
 * LC1. Of two hints for one agent the one with the higher epoch holds.
 * LC2. At most {@link LOCATIONS_MAX}; the one unused for longest gives way.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentLocation } from "../mesh-types.ts";

/** Agents whose place one node remembers. */
export const LOCATIONS_MAX = 8192;

/** The cache of one node. */
export class LocationCache {
  readonly #locations = new Map<AgentId, AgentLocation>();

  /** The last hint. */
  get(agent: AgentId): AgentLocation | undefined {
    const found = this.#locations.get(agent);
    if (found !== undefined) this.#touch(found);
    return found;
  }

  /** Take a hint in (LC1); returns the one that holds. */
  learn(location: AgentLocation): AgentLocation {
    const known = this.#locations.get(location.agent);
    const holds = known !== undefined && known.epoch > location.epoch ? known : location;
    this.#touch(holds);
    return holds;
  }

  /** Forget a hint that proved wrong. */
  forget(agent: AgentId, owner: NodeId): void {
    if (this.#locations.get(agent)?.owner === owner) this.#locations.delete(agent);
  }

  #touch(location: AgentLocation): void {
    this.#locations.delete(location.agent);
    this.#locations.set(location.agent, location);
    if (this.#locations.size <= LOCATIONS_MAX) return;
    for (const oldest of this.#locations.keys()) {
      this.#locations.delete(oldest);
      return;
    }
  }
}
