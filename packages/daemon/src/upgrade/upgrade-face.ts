/** What of {@link UpgradeApi} is served where: the names for the control socket, and the face for the main thread. */
import type { Remote } from "../thread-call.ts";
import type { UpgradeApi } from "./upgrade-api.ts";

/** The methods, by name. */
export const UPGRADE_METHODS: readonly (keyof UpgradeApi)[] = ["upgrade", "rollback"];

/** The face of the service on another thread. */
export function upgradeFace(mesh: Remote<UpgradeApi>): UpgradeApi {
  return {
    upgrade: (agent, request) => mesh.upgrade(agent, request),
    rollback: (agent, timeoutMs) => mesh.rollback(agent, timeoutMs),
  };
}
