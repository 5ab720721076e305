/** What of {@link MovementApi} is served where: the names for the control socket, and the face for the main thread. */
import type { Remote } from "../thread-call.ts";
import type { MovementApi } from "./movement-api.ts";

/** The methods, by name. */
export const MOVEMENT_METHODS = ["pause", "resume"] as const satisfies readonly (keyof MovementApi)[];

/** The face of the services on another thread. */
export function movementFace(mesh: Remote<MovementApi>): MovementApi {
  return {
    pause: (agent) => mesh.pause(agent),
    resume: (agent) => mesh.resume(agent),
  };
}
