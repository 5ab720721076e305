/**
 * One survey among ten simulated nodes with a voter each, on virtual time: a seed gives the same delays, votes and times in every run. The surveyor
 * is an agent on a node of its own.
 */
import { SeededRandom } from "@glia-os/abi/testing";
import { type AgentContext, type AgentRef, type AgentRoutine, agent } from "@glia-os/cells/agent";
import {
  crossCheck,
  type Equivocation,
  type QuorumResult,
  quorum,
  type Threshold,
  type VoterSet,
  voterSet,
} from "@glia-os/cells/orchestration";
import { SimulatedAgents } from "@glia-os/cells/testing";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { ONE_WAY_MS, type Scenario, TIMEOUT_MS, VOTERS } from "./scenarios.ts";
import { type Behaviour, voter } from "./voter.ts";

/** What came of a survey. */
export interface Surveyed {
  readonly result: QuorumResult<boolean>;
  /** Virtual milliseconds from the first question to the result. */
  readonly tookMs: number;
  /** Ids of the voters by how they were made to behave. */
  readonly made: ReadonlyMap<string, Behaviour>;
}

interface Survey {
  readonly set: VoterSet<typeof voter>;
  readonly threshold: Threshold;
  readonly asks: number;
}
interface Finding {
  result: QuorumResult<boolean> | null;
  tookMs: number;
}

/** The kind of agent that holds a survey and keeps what came of it. */
const surveyor = agent({
  name: "surveyor",
  state: (): Finding => ({ result: null, tookMs: 0 }),
  on: {
    hold: {
      *handle(ctx: AgentContext<Finding>, { set, threshold, asks }: Survey): AgentRoutine<void> {
        const startMs = ctx.now();
        const options = { threshold, asks, timeoutMs: TIMEOUT_MS, request: "is it so?" };
        const result = yield* quorum(ctx, set, "vote", "is it so?", options);
        ctx.state = { result, tookMs: ctx.now() - startMs };
      },
    },
  },
});

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
  const cutOff = new Set<string>();
  const agents = new SimulatedAgents({
    time,
    random: new SeededRandom(seed),
    delayMs: (random, from, to) =>
      cutOff.has(from.id) || cutOff.has(to.id)
        ? undefined
        : 1 + (random.uint32() % (1000 * (ONE_WAY_MS - 1))) / 1000,
  });
  const all = behaviours(scenario);
  const voters = all.map(
    (behaviour) => agents.make(voter, { input: { behaviour, truth: true } }).ref as AgentRef<typeof voter>,
  );
  for (const { id } of voters.slice(VOTERS - (scenario.cutOff ?? 0))) cutOff.add(id);
  const { threshold, asks = 1 } = scenario;
  const survey: Survey = { set: voterSet("ten", 1, voters), threshold, asks };
  const surveyors = Array.from({ length: times }, () => agents.make(surveyor));
  for (const { ref } of surveyors) agents.tell(ref, "hold", survey);
  const findings = (): readonly Finding[] => surveyors.map(({ state }) => state as Finding);
  await time.advanceUntil(() => findings().every(({ result }) => result !== null), 10 * TIMEOUT_MS);
  const made = new Map(voters.map(({ id }, n) => [id, all[n] as Behaviour]));
  return findings().map(({ result, tookMs }) => ({ result: result as QuorumResult<boolean>, tookMs, made }));
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
