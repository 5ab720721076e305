/** The thread that simulates: a run is one computation without a pause, and Ctrl-C must end it. */
import { parentPort, workerData } from "node:worker_threads";
import type { Envelope } from "@glia-os/mesh-core";
import {
  DetectionTimes,
  membershipBounds,
  membershipSimulation,
  quantile,
  type SimulatedMember,
} from "@glia-os/mesh-core/testing";
import {
  exploreMachines,
  type MachineFault,
  type MachinesSimulation,
  type MachinesWorld,
  machineScenario,
  SIMULATED_DIGESTS,
  simulate,
  simulatedSigner,
} from "@glia-os/sim";
import type { SimNews, SimRun, SimTask } from "./sim-task.ts";

const task = workerData as SimTask;
const SHRINK_RUNS = 200;
/** Between two checks of all views against all members: seldom where that is much work. */
const CHECK_MS = task.nodes <= 64 ? 1000 : task.nodes <= 256 ? 5000 : 60_000;
/** Between two looks at how far a run is, in virtual time. */
const LOOK_MS = Math.min(1000, CHECK_MS);
const PROGRESS_MS = 200;

const say = (news: SimNews): void => parentPort?.postMessage(news);

function simulation(detection?: DetectionTimes) {
  const parts = membershipSimulation({
    machines: task.nodes,
    digests: SIMULATED_DIGESTS,
    signerOf: simulatedSigner,
    parameters: task.profile,
    bounds: {
      ...membershipBounds(task.scenario),
      ...(task.convergeMs !== undefined && { convergeMs: task.convergeMs }),
    },
    onEvent: (viewer, event) => {
      if (event.kind === "memberDead")
        detection?.note(viewer, parts.cluster.indexOf(event.member.node), parts.cluster.nowOf(viewer));
    },
  });
  return parts;
}

const fixed = {
  nodes: task.nodes,
  scenario: task.scenario,
  checkEveryMs: CHECK_MS,
  ...(task.durationMs !== undefined && { durationMs: task.durationMs }),
  ...(task.faults !== undefined && { faults: task.faults }),
};

function runSeed(seed: number | string): MachinesSimulation<SimulatedMember> {
  const detection = new DetectionTimes();
  const { boot, digest, check, checker } = simulation(detection);
  const durationMs = task.durationMs ?? machineScenario(task.scenario).durationMs;
  const startMs = performance.now();
  let saidMs = startMs;
  let checkedMs = 0;
  const watched = (world: MachinesWorld<SimulatedMember>): string | undefined => {
    if (performance.now() - saidMs > PROGRESS_MS) {
      saidMs = performance.now();
      say({ kind: "progress", seed, virtualMs: world.nowMs, durationMs });
    }
    if (world.nowMs - checkedMs < CHECK_MS && world.nowMs < durationMs) return undefined;
    checkedMs = world.nowMs;
    return check(world);
  };
  const run = simulate({ ...fixed, checkEveryMs: LOOK_MS, seed, boot, digest, check: watched });
  const realMs = performance.now() - startMs;
  const { healthyDeaths, falseViews, idlePerSecond } = checker;
  const figures = { ...crashFigures(run, detection), healthyDeaths, falseViews, idlePerSecond, realMs };
  say({ kind: "run", run: { ...shape(run), ...figures } });
  return run;
}

function shape(run: MachinesSimulation<SimulatedMember>) {
  const { seed, virtualMs, events, messages, traceHash, violation } = run;
  const faults: Record<string, number> = {};
  for (const { kind } of run.faults) faults[kind] = (faults[kind] ?? 0) + 1;
  const { nodes, scenario, profile } = task;
  return { seed, nodes, scenario, profile, virtualMs, events, messages, traceHash, faults, violation };
}

function crashFigures(
  { faults, virtualMs }: MachinesSimulation<SimulatedMember>,
  detection: DetectionTimes,
): Pick<SimRun, "crashes" | "noticed" | "firstMs" | "allMs"> {
  const crashes = faults.filter((fault) => fault.kind === "crash" && fault.atMs <= virtualMs);
  const seen = crashes.flatMap((crash) => {
    const { machine, atMs } = crash as Extract<MachineFault, { readonly kind: "crash" }>;
    const back = faults.find(
      (other) => other.kind === "restart" && other.machine === machine && other.atMs > atMs,
    );
    return detection.of(machine, atMs, back?.atMs) ?? [];
  });
  return {
    crashes: crashes.length,
    noticed: seen.length,
    firstMs: quantile(
      seen.map(({ firstMs }) => firstMs),
      0.5,
    ),
    allMs: quantile(
      seen.map(({ allMs }) => allMs),
      0.5,
    ),
  };
}

/** The faults that a failure needs: every run gets members and a checker of its own. */
function shrink(failing: MachinesSimulation<SimulatedMember>): void {
  say({ kind: "shrinking" });
  let parts = simulation();
  const { failure } = exploreMachines<Envelope, SimulatedMember>([failing.seed], {
    ...fixed,
    faults: failing.faults,
    shrinkRuns: SHRINK_RUNS,
    boot: (machine) => {
      // The first machine of a run boots first.
      if (machine.index === 0 && machine.generation === 1) parts = simulation();
      return parts.boot(machine);
    },
    digest: (message) => parts.digest(message),
    check: (world) => parts.check(world),
  });
  if (failure === undefined) return;
  const { seed, violation, faults, minimal } = failure;
  say({ kind: "failure", failure: { seed, what: violation, faults, minimal } });
}

for (const seed of task.seeds) {
  const run = runSeed(seed);
  if (run.violation === undefined) continue;
  shrink(run);
  break;
}
say({ kind: "done" });
