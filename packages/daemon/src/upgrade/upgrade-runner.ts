/** What of the runner of WebAssembly cells upgrades need, on its thread and seen from another. */
import type { UpgradeRunnerPort } from "@glia-os/cells";
import type { Remote } from "../thread-call.ts";

/** Those methods and no others. */
export function upgradeRunner(runner: UpgradeRunnerPort): UpgradeRunnerPort {
  return {
    freezeAtMessage: (agent, timeoutMs) => runner.freezeAtMessage(agent, timeoutMs),
    prepareUpgrade: (agent, manifest) => runner.prepareUpgrade(agent, manifest),
    commitUpgrade: (agent, first) => runner.commitUpgrade(agent, first),
    abandonUpgrade: (agent) => runner.abandonUpgrade(agent),
  };
}

/** The same on another thread. */
export function upgradeRunnerOverThread(remote: Remote<UpgradeRunnerPort>): UpgradeRunnerPort {
  return {
    freezeAtMessage: (agent, timeoutMs) => remote.freezeAtMessage(agent, timeoutMs),
    prepareUpgrade: (agent, manifest) => remote.prepareUpgrade(agent, manifest),
    commitUpgrade: (agent, first) => remote.commitUpgrade(agent, first),
    abandonUpgrade: (agent) => remote.abandonUpgrade(agent),
  };
}
