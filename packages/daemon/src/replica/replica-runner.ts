/** What of the runner of WebAssembly cells replicas need. */
import type { ReplicaRunnerPort } from "@glia-os/cells";

/** Those methods and no others. */
export function replicaRunner(runner: ReplicaRunnerPort): ReplicaRunnerPort {
  return {
    checkpoint: (agent, number, whole) => runner.checkpoint(agent, number, whole),
    readCheckpoint: (agent, number) => runner.readCheckpoint(agent, number),
    heldUpTo: (agent, number) => runner.heldUpTo(agent, number),
    rebuild: (agent, manifest, from, mail) => runner.rebuild(agent, manifest, from, mail),
  };
}
