/**
 * A node on its link: announced by multicast DNS, and told of others of its mesh (docs/spec/discovery.md).
 *
 * MY1. What is heard of other meshes is ignored; what is heard of this one is a hint: a session proves who answers.
 * MY2. A machine without multicast costs a warning, never the start.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { ClusterId } from "@glia-os/abi/ids";
import type { Clock, Discovery, HostPort, Logger, Timers } from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";
import { createMdnsDiscovery } from "@glia-os/mesh-wire";

/** How long a node that comes back listens for its mesh before it dials, in milliseconds: two questions (MD2) and a second. */
export const LISTEN_FIRST_MS = 2000;

/** What discovery works with. */
export interface MeshDiscoveryParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Discovery of one node; `undefined` where the machine has no multicast (MY2). */
export async function openMeshDiscovery(parts: MeshDiscoveryParts): Promise<MeshDiscovery | undefined> {
  try {
    return new MeshDiscovery(await createMdnsDiscovery(parts), parts);
  } catch (error) {
    parts.logger.log("warn", "no multicast DNS here", { code: errorCodeOf(error), why: String(error) });
    return undefined;
  }
}

/** Discovery of one node, open. */
export class MeshDiscovery {
  readonly #discovery: Discovery;
  readonly #parts: MeshDiscoveryParts;

  constructor(discovery: Discovery, parts: MeshDiscoveryParts) {
    this.#discovery = discovery;
    this.#parts = parts;
  }

  /** Where somebody of the cluster says that it listens: the first who is heard within {@link LISTEN_FIRST_MS}. */
  contacts(cluster: ClusterId): Promise<readonly HostPort[]> {
    return new Promise((resolve) => {
      const timer = this.#parts.timers.schedule(LISTEN_FIRST_MS, () => end([]));
      const end = (addresses: readonly HostPort[]): void => {
        timer.cancel();
        this.#discovery.onFound(() => {});
        resolve(addresses);
      };
      this.#discovery.onFound((node) => {
        if (node.cluster === cluster) end(node.addresses);
      });
    });
  }

  /** Announce the node, and hand what is heard to its mesh (MY1). */
  attach(mesh: Mesh, quic: boolean): void {
    const { self, cluster, address } = mesh;
    if (address !== undefined) this.#discovery.announce({ node: self, cluster, address, quic });
    this.#discovery.onFound(({ node, cluster: theirs, addresses }) => {
      const [first] = addresses;
      if (theirs !== cluster || node === self || first === undefined) return;
      this.#parts.logger.log("debug", "heard by multicast DNS", { node, host: first.host, port: first.port });
      mesh.hint(node, first);
    });
  }

  /** Say goodbye. */
  close(): Promise<void> {
    return this.#discovery.close();
  }
}
