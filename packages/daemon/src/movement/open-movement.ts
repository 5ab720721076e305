/** Builds the services of `MovementApi` on the mesh thread. */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock, Logger, Meter, Random, Signer, Timers } from "@glia-os/abi/ports";
import type { CellGate } from "@glia-os/cells";
import type { Mesh } from "@glia-os/mesh-core";
import { AgentExports } from "./agent-exports.ts";
import { AgentImports } from "./agent-imports.ts";
import { AgentRows } from "./agent-rows.ts";
import { ExportShelf } from "./export-shelf.ts";
import { AgentFileService } from "./file-service.ts";
import { type AgentDirectory, LifecycleService } from "./lifecycle-service.ts";

/** What the services are made of. */
export interface MovementParts {
  readonly mesh: Mesh;
  /** Absent on a client. */
  readonly gate: CellGate | undefined;
  readonly agents: AgentDirectory & { member(text: string): Promise<NodeId> };
  readonly signer: Signer;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly meter: Meter;
  readonly logger: Logger;
  readonly sessionId: () => string;
}

/** The services, and what ends them in order. */
export interface Movement {
  readonly services: readonly object[];
  stop(): Promise<void>;
}

/** Build them. */
export function openMovement(parts: MovementParts): Movement {
  const { mesh, gate, agents, random, sessionId, dataDir, timers } = parts;
  const { coordination, self } = mesh;
  const rows = new AgentRows({ self, coordination, gate, random, sessionId });
  const shelf = new ExportShelf(dataDir, timers);
  const exports = gate && new AgentExports({ ...parts, gate, rows, shelf });
  const imports = gate && new AgentImports({ ...parts, gate });
  const files = new AgentFileService({
    mesh,
    agents,
    dataDir,
    exports,
    imports,
    readExport: (id, offset) => shelf.read(id, offset),
    member: (text) => agents.member(text),
  });
  return {
    services: [new LifecycleService({ mesh, gate, rows, agents }), files],
    stop: async () => exports?.stop(),
  };
}
