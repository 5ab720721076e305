/**
 * Members that were dead for so long that they were forgotten. Some are remembered by address alone: if a cut lasted longer than the memory
 * of the dead, they are how its two sides find each other again.
 *
 * FM1. At most {@link FORMER_MAX}; the one forgotten first gives way.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { HostPort } from "@glia-os/abi/ports";

/** Former members that are remembered. */
export const FORMER_MAX = 64;

/** The former members of one view. */
export class FormerMembers {
  readonly #addresses = new Map<NodeId, HostPort>();

  /** Remember one (FM1). */
  keep(node: NodeId, address: HostPort): void {
    this.#addresses.delete(node);
    this.#addresses.set(node, address);
    for (const oldest of this.#addresses.keys()) {
      if (this.#addresses.size <= FORMER_MAX) return;
      this.#addresses.delete(oldest);
    }
  }

  /** Forget those for which `known` holds. */
  drop(known: (node: NodeId) => boolean): void {
    for (const node of [...this.#addresses.keys()]) if (known(node)) this.#addresses.delete(node);
  }

  /** Where one listened. */
  address(node: NodeId): HostPort | undefined {
    return this.#addresses.get(node);
  }

  /** All, the longest forgotten first. */
  nodes(): NodeId[] {
    return [...this.#addresses.keys()];
  }
}
