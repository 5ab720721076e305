/**
 * Tries seed after seed on simulated machines until one breaks what must hold, shrinks its faults, and says how to see it again.
 *
 * XM1. A failure names a seed and a list of faults of which none can be left out, unless the budget of runs was used up.
 * XM2. What is left out of the list changes nothing about the others (SR1), so the shrunk schedule is a real one.
 */
import { SHRINK_RUNS } from "../limits.ts";
import { shrinkList } from "../shrink.ts";
import type { MachineProcess } from "./machine.ts";
import type { MachineFault } from "./machine-fault.ts";
import type { MachinesSimulation } from "./machine-run.ts";
import { type SimulateMachinesOptions, simulateMachines } from "./simulate-machines.ts";

/** Options of an exploration: those of a run without its seed. */
export interface ExploreMachinesOptions<Message, Process extends MachineProcess<Message>>
  extends Omit<SimulateMachinesOptions<Message, Process>, "seed"> {
  /** Runs that shrinking may take; default 1000. 0: do not shrink. */
  readonly shrinkRuns?: number;
  /** The one command that repeats a failure; default: a call of `simulate`. */
  readonly replay?: (failure: {
    readonly seed: number | string;
    readonly faults: readonly MachineFault[];
  }) => string;
  /** Gets the report of a failure, line by line. */
  readonly print?: (line: string) => void;
  /** Called after each run. */
  readonly onRun?: (run: MachinesSimulation<Process>) => void;
}

/** A seed that failed. */
export interface MachinesFailure<Process> {
  readonly seed: number | string;
  readonly violation: string;
  /** Faults that are needed for it (XM1). */
  readonly faults: readonly MachineFault[];
  readonly minimal: boolean;
  /** The failing run with these faults. */
  readonly run: MachinesSimulation<Process>;
  /** How to repeat it. */
  readonly replay: string;
}

/** What an exploration found. */
export interface MachinesExploration<Process> {
  /** Seeds tried, with the one that failed. */
  readonly seeds: number;
  readonly failure: MachinesFailure<Process> | undefined;
}

/** Simulate with each seed until `check` names a violation. @throws what `simulate` throws. */
export function exploreMachines<Message, Process extends MachineProcess<Message>>(
  seeds: Iterable<number | string>,
  options: ExploreMachinesOptions<Message, Process>,
): MachinesExploration<Process> {
  let tried = 0;
  for (const seed of seeds) {
    tried++;
    const run = simulateMachines({ ...options, seed });
    options.onRun?.(run);
    if (run.violation === undefined) continue;
    const failure = shrunk(run, options);
    for (const line of linesOf(failure, tried)) options.print?.(line);
    return { seeds: tried, failure };
  }
  return { seeds: tried, failure: undefined };
}

function shrunk<Message, Process extends MachineProcess<Message>>(
  failing: MachinesSimulation<Process>,
  options: ExploreMachinesOptions<Message, Process>,
): MachinesFailure<Process> {
  const { seed } = failing;
  const again = (faults: readonly MachineFault[]): MachinesSimulation<Process> =>
    simulateMachines({ ...options, seed, faults });
  const { items, minimal } = shrinkList(
    failing.faults,
    (faults) => again(faults).violation !== undefined,
    options.shrinkRuns ?? SHRINK_RUNS,
  );
  const run = again(items);
  const violation =
    run.violation?.what ?? "the failure does not repeat: the program is not a function of its seed";
  const replay = (options.replay ?? asCall)({ seed, faults: items });
  return { seed, violation, faults: items, minimal, run, replay };
}

function asCall({
  seed,
  faults,
}: {
  readonly seed: number | string;
  readonly faults: readonly MachineFault[];
}): string {
  return `simulate({ ...options, seed: ${JSON.stringify(seed)}, faults: ${JSON.stringify(faults)} })`;
}

function linesOf(
  { seed, violation, faults, run, replay }: MachinesFailure<unknown>,
  tried: number,
): readonly string[] {
  return [
    `seed ${seed} (number ${tried}) failed at ${run.violation?.atMs ?? run.virtualMs} ms: ${violation}`,
    `${run.events} events, trace ${run.traceHash}, ${faults.length} faults needed`,
    ...faults.map((fault) => `fault ${JSON.stringify(fault)}`),
    `replay with ${replay}`,
  ];
}
