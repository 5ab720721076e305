/** Prints the trace hash of one run of each scenario, and of some of whole nodes, for comparison between engines: `node print-hash.ts`. */
import { MACHINE_SCENARIOS } from "@glia-os/sim";
import { simulateMembers } from "./members.ts";
import { simulateMesh } from "./mesh-nodes.ts";

for (const scenario of Object.keys(MACHINE_SCENARIOS)) {
  const { run } = simulateMembers({ scenario, nodes: 8, seed: 3, durationMs: 100_000 });
  console.log(scenario, run.traceHash, run.events);
}
for (const scenario of ["churn", "chaos"]) {
  const { traceHash, events } = await simulateMesh({ scenario, nodes: 5, seed: 3, durationMs: 60_000 });
  console.log("whole nodes,", scenario, traceHash, events);
}
