/** Builds the services of `MovementApi` on the mesh thread. */
import { totalmem } from "node:os";
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock, Logger, Meter, Random, Signer, Timers } from "@glia-os/abi/ports";
import type { CellGate } from "@glia-os/cells";
import { createSystemSensors } from "@glia-os/hal";
import type { Mesh } from "@glia-os/mesh-core";
import { PAGES_MS, pagesServed } from "../postcopy/serve-first.ts";
import { AgentExports } from "./agent-exports.ts";
import { AgentImports } from "./agent-imports.ts";
import { AgentMover } from "./agent-mover.ts";
import { AgentRows } from "./agent-rows.ts";
import { DistanceService } from "./distance-service.ts";
import { Drain } from "./drain-service.ts";
import { ExportShelf } from "./export-shelf.ts";
import { createFileSensors } from "./file-sensors.ts";
import { AgentFileService } from "./file-service.ts";
import { LatencyWatch } from "./latency-watch.ts";
import { type AgentDirectory, LifecycleService } from "./lifecycle-service.ts";
import type { NodeCondition } from "./move-api.ts";
import { MoveService, type OwnMoves } from "./move-service.ts";
import type { MovementSettings } from "./movement-settings.ts";
import { NodePower } from "./node-power.ts";
import { PlacementService } from "./placement-service.ts";
import { PolicyWatch } from "./policy-watch.ts";

/** What the services are made of. */
export interface MovementParts {
  readonly mesh: Mesh;
  /** Absent on a client. */
  readonly gate: CellGate | undefined;
  readonly agents: AgentDirectory & { member(text: string): Promise<NodeId> };
  readonly signer: Signer;
  readonly dataDir: string;
  readonly settings: MovementSettings;
  /** Whether the node may notice others later than its profile says, to save power. */
  readonly maySlow: boolean;
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
  const { mesh, gate, agents, random, sessionId, clock } = parts;
  const { coordination, self } = mesh;
  const rows = new AgentRows({ self, coordination, gate, random, sessionId });
  const { files, exports } = openFiles(parts, rows);
  const late: { own?: OwnMoves } = {};
  const placement = new PlacementService({ mesh, clock, own: () => late.own?.condition() });
  const distances = new DistanceService({ mesh, clock, file: parts.settings.sensorsFile });
  const own = gate === undefined ? undefined : openOwn(parts, gate, placement, distances);
  if (own !== undefined) late.own = own;
  own?.policies.start();
  const member = (text: string): Promise<NodeId> => agents.member(text);
  return {
    services: [
      new LifecycleService({ mesh, gate, rows, agents, meter: parts.meter }),
      files,
      new MoveService({ mesh, agents, placement, member, own, meter: parts.meter }),
    ],
    stop: async () => {
      own?.policies.stop();
      await exports?.stop();
    },
  };
}

function openFiles(
  parts: MovementParts,
  rows: AgentRows,
): { readonly files: AgentFileService; readonly exports: AgentExports | undefined } {
  const { mesh, gate, agents, dataDir, timers } = parts;
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
  return { files, exports };
}

function openOwn(
  parts: MovementParts,
  gate: CellGate,
  placement: PlacementService,
  distances: DistanceService,
): OwnMoves {
  const { mesh, settings } = parts;
  const { sensorsFile } = settings;
  const mover = new AgentMover({ mesh, gate, placement });
  const settled = (): Promise<unknown> => pagesServed(mesh, PAGES_MS);
  const drain = new Drain({ ...parts, self: mesh.self, gate, mover, settled });
  const { self } = mesh;
  const latency = new LatencyWatch({
    ...parts,
    self,
    settings: settings.latency,
    gate,
    mover,
    placement,
    distances,
  });
  const policies = new PolicyWatch({
    ...parts,
    sensors: sensorsFile === undefined ? createSystemSensors() : createFileSensors(sensorsFile),
    totalMemoryBytes: totalmem(),
    mover,
    placement,
    latency,
    power: new NodePower(parts),
    hosting: () => gate.size,
  });
  const condition = (): NodeCondition => {
    const found = policies.condition();
    const takes = found.takes && gate.refusesNew === undefined;
    return { node: mesh.self, hosting: gate.size, drain: drain.state, ...found, takes };
  };
  return { drain, policies, condition };
}
