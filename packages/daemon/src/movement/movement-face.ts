/** What of {@link MovementApi} is served where: the names for the control socket, and the face for the main thread. */
import type { Remote } from "../thread-call.ts";
import type { MovementApi } from "./movement-api.ts";

/** The methods, by name. */
export const MOVEMENT_METHODS: readonly (keyof MovementApi)[] = [
  "pause",
  "resume",
  "beginExport",
  "readExport",
  "endExport",
  "beginImport",
  "writeImport",
  "endImport",
  "cancelMigration",
  "conditions",
  "drain",
  "drainStatus",
  "undrain",
  "setPolicy",
];

/** The face of the services on another thread. */
export function movementFace(mesh: Remote<MovementApi>): MovementApi {
  return {
    pause: (agent) => mesh.pause(agent),
    resume: (agent) => mesh.resume(agent),
    beginExport: (agent, seal, stop) => mesh.beginExport(agent, seal, stop),
    readExport: (id, offset) => mesh.readExport(id, offset),
    endExport: (id, kept) => mesh.endExport(id, kept),
    beginImport: (request) => mesh.beginImport(request),
    writeImport: (id, bytes) => mesh.writeImport(id, bytes),
    endImport: (id, whole) => mesh.endImport(id, whole),
    cancelMigration: (agent) => mesh.cancelMigration(agent),
    conditions: () => mesh.conditions(),
    drain: (node, keep) => mesh.drain(node, keep),
    drainStatus: (node) => mesh.drainStatus(node),
    undrain: (node) => mesh.undrain(node),
    setPolicy: (policy, on, node) => mesh.setPolicy(policy, on, node),
  };
}
