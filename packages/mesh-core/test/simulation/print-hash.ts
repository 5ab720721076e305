/** Prints the trace hash of one run of each scenario, for comparison between engines: `node print-hash.ts`. */
import { MACHINE_SCENARIOS } from "@glia-os/sim";
import { simulateMembers } from "./members.ts";

for (const scenario of Object.keys(MACHINE_SCENARIOS)) {
  const { run } = simulateMembers({ scenario, nodes: 8, seed: 3, durationMs: 100_000 });
  console.log(scenario, run.traceHash, run.events);
}
