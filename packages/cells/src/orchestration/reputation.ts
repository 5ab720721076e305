/**
 * How well agents do, from what was seen of their work: six marks, averaged over time, and one number made of them.
 *
 * RP1. A mark is from 0 to 1. Each new one moves the average by {@link WEIGHT_OF_NEWEST} of the difference (an exponentially weighted moving average);
 *      the first one is the average.
 * RP2. The reputation is the weighted mean of the averages, with the error rate and the revisions turned round, so that more is better; from 0 to 1.
 *      An agent of whom nothing was seen has none.
 * RP3. It is what its observer saw, and no more: whoever gives the marks decides. Nothing here is measured by itself.
 */
import { checkText } from "./check-option.ts";
import { BadOptionError } from "./errors.ts";

/** What is marked. `errorRate` and `revisions`: less is better. */
export type Mark = "quality" | "adherence" | "speed" | "cost" | "errorRate" | "revisions";

/** Marks of one piece of work, each from 0 to 1. For `cost`, 1 is cheap. */
export type Marks = Readonly<Record<Mark, number>>;

/** How much each mark counts; any positive numbers. */
export type MarkWeights = Readonly<Record<Mark, number>>;

/** What the newest marks count against the average before. */
export const WEIGHT_OF_NEWEST = 0.3;
/** Agents that are kept; the one that was marked least lately is forgotten first. */
export const AGENTS_MAX = 10_000;
/** The weights unless said otherwise. */
export const MARK_WEIGHTS: MarkWeights = {
  quality: 0.25,
  adherence: 0.2,
  speed: 0.15,
  cost: 0.15,
  errorRate: 0.15,
  revisions: 0.1,
};
const NAMES = Object.keys(MARK_WEIGHTS) as Mark[];

/** What is kept. Plain data: part of an agent's state. */
export interface Reputations {
  weights: MarkWeights;
  /** By agent, the one marked last at the end. */
  averages: Record<string, { marks: Marks; count: number }>;
}

/** An agent and its reputation. */
export interface Ranked {
  readonly agent: string;
  readonly reputation: number;
}

/** Nothing seen. @throws {BadOptionError} for weights that are not positive */
export function noReputations(weights: MarkWeights = MARK_WEIGHTS): Reputations {
  for (const name of NAMES)
    if (!(weights[name] > 0 && Number.isFinite(weights[name])))
      throw new BadOptionError(`weights.${name}`, "it is not a positive number");
  return { weights: { ...weights }, averages: {} };
}

/** Take in the marks of one piece of work (RP1); the agent's reputation now. @throws {BadOptionError} */
export function evaluate(reputations: Reputations, agent: string, marks: Marks): number {
  const key = keyOf(agent);
  for (const name of NAMES)
    if (!(marks[name] >= 0 && marks[name] <= 1))
      throw new BadOptionError(`marks.${name}`, "it is not from 0 to 1");
  const { averages } = reputations;
  const before = averages[key];
  const next = { ...marks };
  if (before !== undefined)
    for (const name of NAMES)
      next[name] = before.marks[name] + WEIGHT_OF_NEWEST * (marks[name] - before.marks[name]);
  delete averages[key];
  averages[key] = { marks: next, count: (before?.count ?? 0) + 1 };
  if (before === undefined) forget(averages);
  return weighted(reputations.weights, next);
}

/** The averages of an agent; undefined when nothing was seen of it. */
export function marksOf(reputations: Reputations, agent: string): Marks | undefined {
  return reputations.averages[keyOf(agent)]?.marks;
}

/** The reputation of an agent from 0 to 1; undefined when nothing was seen of it (RP2). */
export function reputationOf(reputations: Reputations, agent: string): number | undefined {
  const marks = marksOf(reputations, agent);
  return marks === undefined ? undefined : weighted(reputations.weights, marks);
}

/** Agents by reputation, the best first; equal ones by name. Those of whom nothing was seen are not there. O(n log n). */
export function rank(reputations: Reputations, agents: Iterable<string>): readonly Ranked[] {
  const ranked: Ranked[] = [];
  for (const agent of new Set(agents)) {
    const reputation = reputationOf(reputations, agent);
    if (reputation !== undefined) ranked.push({ agent, reputation });
  }
  return ranked.sort((a, b) => b.reputation - a.reputation || (a.agent < b.agent ? -1 : 1));
}

function weighted(weights: MarkWeights, marks: Marks): number {
  let [sum, total] = [0, 0];
  for (const name of NAMES) {
    const mark = name === "errorRate" || name === "revisions" ? 1 - marks[name] : marks[name];
    sum += weights[name] * mark;
    total += weights[name];
  }
  return sum / total;
}

/** Behind a word of ours, so that no agent is called as something that every object has. */
function keyOf(agent: string): string {
  return `agent ${checkText("agent", agent, 64)}`;
}

function forget(averages: Reputations["averages"]): void {
  let count = 0;
  for (const _ in averages) count++;
  if (count <= AGENTS_MAX) return;
  for (const oldest in averages) {
    delete averages[oldest];
    return;
  }
}
