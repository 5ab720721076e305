/** One survey among ten agents, on virtual time: a seed gives the same delays, votes and times in every run. */

import { SeededRandom } from "@glia-os/abi/testing";
import { createLocalSystem } from "@glia-os/cells/agent";
import {
  crossCheck,
  type Equivocation,
  type QuorumResult,
  quorum,
  voterSet,
} from "@glia-os/cells/orchestration";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { type Scenario, TIMEOUT_MS, VOTERS } from "./scenarios.ts";
import { type Behaviour, voter } from "./voter.ts";

/** What came of a survey. */
export interface Surveyed {
  readonly result: QuorumResult<boolean>;
  /** Virtual milliseconds from the first question to the result. */
  readonly tookMs: number;
  /** Ids of the voters by how they were made to behave. */
  readonly made: ReadonlyMap<string, Behaviour>;
}

/** Who is what: faulty voters first. */
function behaviours(scenario: Scenario): readonly Behaviour[] {
  const faulty = Object.entries(scenario.faulty).flatMap(([behaviour, count]) =>
    Array.from({ length: count }, () => behaviour as Behaviour),
  );
  return [...faulty, ...Array.from({ length: VOTERS - faulty.length }, (): Behaviour => "honest")];
}

/** Hold the survey of a scenario `times` times at once, each by a surveyor of its own; all about one question, whose true answer is yes. */
async function held(scenario: Scenario, seed: number, times: number): Promise<readonly Surveyed[]> {
  const time = new VirtualTime();
  const system = createLocalSystem({ clock: time, timers: time, random: new SeededRandom(seed) });
  const all = behaviours(scenario);
  const { threshold, asks = 1, delayMs = 40, timeoutMs = TIMEOUT_MS } = scenario;
  try {
    const refs = [];
    for (const behaviour of all)
      refs.push(await time.settle(system.spawn(voter, { input: { behaviour, truth: true, delayMs } })));
    const set = voterSet("ten", 1, refs);
    const made = new Map(set.voters.map(({ ref }, n) => [ref.id, all[n] as Behaviour]));
    const startMs = time.monotonicMs();
    const surveys = Array.from({ length: times }, () =>
      system.run(function* (ctx) {
        const options = { threshold, asks, timeoutMs, request: "is it so?" };
        const result: QuorumResult<boolean> = yield* quorum(ctx, set, "vote", "is it so?", options);
        return { result, tookMs: time.monotonicMs() - startMs, made };
      }),
    );
    return await time.settle(Promise.all(surveys));
  } finally {
    await time.settle(system.close());
  }
}

/** Hold the survey of a scenario. */
export async function survey(scenario: Scenario, seed: number): Promise<Surveyed> {
  const [one] = await held(scenario, seed, 1);
  return one as Surveyed;
}

/** Hold it twice at once, and compare: voters that told the two different things. */
export async function surveyTwice(
  scenario: Scenario,
  seed: number,
): Promise<{ readonly surveys: readonly Surveyed[]; readonly found: readonly Equivocation<boolean>[] }> {
  const surveys = await held(scenario, seed, 2);
  return { surveys, found: crossCheck(surveys.map(({ result }) => result)) };
}
