/** An upgrade in one line. */
import type { UpgradeReport } from "@glia-os/daemon";
import { formatBytes, formatMs } from "../terminal/amount.ts";

/** One agent, for people. */
export function upgradeLine({ name, from, to, stateBytes, pauseMs }: UpgradeReport): string {
  const versions =
    from.version === to.version ? `stays version ${to.version}` : `${from.version} -> ${to.version}`;
  return `${name}: ${to.name} ${versions}, ${formatBytes(stateBytes)} of state, paused ${formatMs(pauseMs)}`;
}
