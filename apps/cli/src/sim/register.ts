/** The command `glia sim`. */
import type { Command } from "commander";
import type { Registrar } from "../registrar.ts";

/** Add it to `glia`. */
export function addSim(program: Command, register: Registrar): void {
  const sim = register.leaf(
    program,
    "sim",
    "Simulate the membership of a mesh on virtual time, with faults drawn from a seed, and check what must hold; exit code 1 if it does not.",
    [
      "glia sim --nodes 1000 --scenario churn --seed 7",
      "glia sim --scenario chaos --seed 1 --seeds 50",
      "glia sim --list",
      `glia sim --nodes 8 --faults '[{"kind":"crash","atMs":30000,"machine":3}]' --json`,
    ],
  );
  sim
    .summary("Simulate a mesh with faults, and check what must hold")
    .option("--nodes <n>", "members, 2 to 4096", "24")
    .option("--scenario <name>", "what goes wrong; --list shows them", "calm")
    .option("--seed <seed>", "a number or a text; the same one is the same run", "1")
    .option("--seeds <n>", "seeds to try, counting up from --seed, until one fails; 1 to 100000", "1")
    .option("--profile <name>", "timing of the failure detector: lan, wan, local, fast, relaxed", "lan")
    .option("--minutes <n>", "virtual minutes of a run, 0.1 to 1440 (default: the scenario's)")
    .option(
      "--converge <seconds>",
      "what M1, M2 and M6 allow after the last fault (default: 120, more for slow profiles)",
    )
    .option("--faults <json>", "a list of faults, or @FILE with one, in place of the scenario's")
    .option("--list", "list the scenarios");
  register.runs(sim, async () => (await import("./sim.ts")).sim);
}
