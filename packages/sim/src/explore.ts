/**
 * Tries seed after seed until one breaks an invariant, and says how to see it again.
 *
 * EX1. The order of ready tasks is drawn from the seed, unless the options say `fifo`.
 * EX2. A failure names a seed and a list of faults; `simulate` with them, and with the same options, fails in the same way.
 * EX3. The faults are shrunk: none of those named can be left out, unless the budget of runs was used up.
 */
import type { Program } from "@glia-os/kernel";
import type { Fault } from "./fault.ts";
import { SHRINK_RUNS } from "./limits.ts";
import { shrinkList } from "./shrink.ts";
import { type SimulateOptions, type Simulation, simulate } from "./simulate.ts";
import type { Scenario } from "./world.ts";

/** What must hold of a run: returns nothing when it does, else a sentence that says what is wrong. */
export type Invariant<State> = (run: Simulation<State>) => string | undefined;

/** Options of an exploration. */
export interface ExploreOptions extends SimulateOptions {
  /** Runs that shrinking may take; default 1000. 0: do not shrink. */
  readonly shrinkRuns?: number;
  /** Gets the report of a failure, line by line. */
  readonly print?: (line: string) => void;
}

/** A seed that broke the invariant. */
export interface ExploreFailure<State> {
  readonly seed: number | string;
  /** What the invariant said of the shrunk run. */
  readonly violation: string;
  /** Faults that are needed for it. */
  readonly faults: readonly Fault[];
  /** Whether none of them can be left out. */
  readonly minimal: boolean;
  /** The failing run with these faults. */
  readonly run: Simulation<State>;
  /** The call that repeats it. Options of the exploration that change runs, such as `clock`, belong to it too; the menu does not. */
  readonly replay: string;
}

/** What an exploration found. */
export interface Exploration<State> {
  /** Seeds tried, with the one that failed. */
  readonly seeds: number;
  readonly failure: ExploreFailure<State> | undefined;
}

/** Simulate with each seed until the invariant breaks. @throws what `simulate` and the invariant throw. */
export function explore<State = undefined>(
  seeds: Iterable<number | string>,
  scenario: Program | Scenario<State>,
  invariant: Invariant<State>,
  options: ExploreOptions = {},
): Exploration<State> {
  const seeded: ExploreOptions = { order: "seeded", ...options };
  let tried = 0;
  for (const seed of seeds) {
    tried++;
    const run = simulate<State>(seed, scenario, seeded);
    if (invariant(run) === undefined) continue;
    const failure = shrunk(run, scenario, invariant, seeded);
    for (const line of linesOf(failure, tried)) seeded.print?.(line);
    return { seeds: tried, failure };
  }
  return { seeds: tried, failure: undefined };
}

function shrunk<State>(
  failing: Simulation<State>,
  scenario: Program | Scenario<State>,
  invariant: Invariant<State>,
  { menu: _, ...options }: ExploreOptions,
): ExploreFailure<State> {
  const { seed } = failing;
  const again = (faults: readonly Fault[]): Simulation<State> =>
    simulate<State>(seed, scenario, { ...options, faults });
  const { items, minimal } = shrinkList(
    failing.faults,
    (faults) => invariant(again(faults)) !== undefined,
    options.shrinkRuns ?? SHRINK_RUNS,
  );
  const run = again(items);
  const violation =
    invariant(run) ?? "the failure does not repeat: the scenario is not a function of its seed";
  const order = options.order === "fifo" ? "fifo" : "seeded";
  const listed = items.length === 0 ? "" : `, faults: ${JSON.stringify(items)}`;
  const replay = `simulate(${JSON.stringify(seed)}, scenario, { order: "${order}"${listed} })`;
  return { seed, violation, faults: items, minimal, run, replay };
}

function linesOf(failure: ExploreFailure<unknown>, tried: number): readonly string[] {
  const { seed, violation, faults, run, replay } = failure;
  return [
    `seed ${seed} (number ${tried}) broke the invariant: ${violation}`,
    `outcome ${run.outcome}, ${run.steps} steps, ${run.virtualMs} virtual ms, trace ${run.traceHash}`,
    ...faults.map((fault) => `fault ${JSON.stringify(fault)}`),
    `replay with ${replay}`,
  ];
}
