/** Builds the services of `MovementApi` on the mesh thread. */
import type { Clock, Logger, Meter, Random, Timers } from "@glia-os/abi/ports";
import type { CellGate } from "@glia-os/cells";
import type { Mesh } from "@glia-os/mesh-core";
import { AgentRows } from "./agent-rows.ts";
import { type AgentDirectory, LifecycleService } from "./lifecycle-service.ts";

/** What the services are made of. */
export interface MovementParts {
  readonly mesh: Mesh;
  /** Absent on a client. */
  readonly gate: CellGate | undefined;
  readonly agents: AgentDirectory;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly meter: Meter;
  readonly logger: Logger;
  readonly sessionId: () => string;
}

/** The services. */
export function openMovement(parts: MovementParts): readonly object[] {
  const { mesh, gate, agents, random, sessionId } = parts;
  const { coordination, self } = mesh;
  const rows = new AgentRows({ self, coordination, gate, random, sessionId });
  return [new LifecycleService({ mesh, gate, rows, agents })];
}
