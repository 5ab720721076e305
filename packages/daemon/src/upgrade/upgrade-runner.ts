/** What of the runners of cells upgrades need, on their thread and seen from another. */
import { type KeptUpgradePort, ProgramsRefusedError, type UpgradeRunnerPort } from "@glia-os/cells";
import type { Remote } from "../thread-call.ts";

type Upgrades = UpgradeRunnerPort & KeptUpgradePort;

/** Those methods and no others. `kept`: the runner of durable cells, where there is one. */
export function upgradeRunner(runner: UpgradeRunnerPort, kept: KeptUpgradePort | undefined): Upgrades {
  return {
    freezeAtMessage: (agent, timeoutMs) => runner.freezeAtMessage(agent, timeoutMs),
    prepareUpgrade: (agent, manifest) => runner.prepareUpgrade(agent, manifest),
    commitUpgrade: (agent, first) => runner.commitUpgrade(agent, first),
    abandonUpgrade: (agent) => runner.abandonUpgrade(agent),
    upgradeKept: async (agent, manifest, timeoutMs) => {
      if (kept === undefined) throw new ProgramsRefusedError();
      return await kept.upgradeKept(agent, manifest, timeoutMs);
    },
  };
}

/** The same on another thread. */
export function upgradeRunnerOverThread(remote: Remote<Upgrades>): Upgrades {
  return {
    freezeAtMessage: (agent, timeoutMs) => remote.freezeAtMessage(agent, timeoutMs),
    prepareUpgrade: (agent, manifest) => remote.prepareUpgrade(agent, manifest),
    commitUpgrade: (agent, first) => remote.commitUpgrade(agent, first),
    abandonUpgrade: (agent) => remote.abandonUpgrade(agent),
    upgradeKept: (agent, manifest, timeoutMs) => remote.upgradeKept(agent, manifest, timeoutMs),
  };
}
