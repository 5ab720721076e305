/**
 * Who may vote: a named, versioned list of voters, and how many of them are enough.
 *
 * VS1. A set is data and does not change: another membership is another version.
 * VS2. Every voter is in it once. A threshold counts those that were named, not those that answered.
 */
import { type AgentRef, isAgentRef } from "../agent/index.ts";
import { checkText, checkWhole } from "./check-option.ts";
import { BadOptionError } from "./errors.ts";

/** Voters of one set. */
export const VOTERS_MAX = 1024;
/** Weight of one voter at most; the sum over a full set is exact. */
export const WEIGHT_MAX = 1_000_000;

/** One who may vote. */
export interface Voter<Def = unknown> {
  readonly ref: AgentRef<Def>;
  /** 1 to 1,000,000. */
  readonly weight: number;
}

/** A named, versioned set of voters. */
export interface VoterSet<Def = unknown> {
  readonly name: string;
  readonly version: number;
  readonly voters: readonly Voter<Def>[];
}

/**
 * How much agreement is enough. `majority`: floor(n/2) + 1. `super-majority`: floor(2n/3) + 1, which is 2f + 1 of 3f + 1. `unanimous`: all.
 * `weighted`: more than half of the weight. `{ votes }`: so many voters. `{ weight }`: so much weight.
 */
export type Threshold =
  | "majority"
  | "super-majority"
  | "unanimous"
  | "weighted"
  | { readonly votes: number }
  | { readonly weight: number };

/** Make a set. Voters are addresses, which weigh 1, or addresses with a weight. @throws {BadOptionError} */
export function voterSet<Def = unknown>(
  name: string,
  version: number,
  voters: readonly (AgentRef<Def> | { readonly ref: AgentRef<Def>; readonly weight: number })[],
): VoterSet<Def> {
  checkText("name", name, 64);
  checkWhole("version", version, 0, Number.MAX_SAFE_INTEGER);
  checkWhole("voters", voters.length, 1, VOTERS_MAX);
  const all = voters.map((voter) => ("ref" in voter ? voter : { ref: voter, weight: 1 }));
  const ids = new Set<string>();
  for (const { ref, weight } of all) {
    if (!isAgentRef(ref)) throw new BadOptionError("voters", "one of them is no address of an agent");
    if (ids.has(ref.id)) throw new BadOptionError("voters", `${ref.id} is named twice`);
    ids.add(ref.id);
    checkWhole("weight", weight, 1, WEIGHT_MAX);
  }
  return { name, version, voters: all };
}

/** What a threshold asks of a set: so much, counted in votes or in weight. @throws {BadOptionError} */
export function neededOf(
  set: VoterSet,
  threshold: Threshold,
): { readonly needed: number; readonly in: "votes" | "weight" } {
  const count = set.voters.length;
  const total = set.voters.reduce((sum, { weight }) => sum + weight, 0);
  switch (threshold) {
    case "majority":
      return { needed: Math.floor(count / 2) + 1, in: "votes" };
    case "super-majority":
      return { needed: Math.floor((2 * count) / 3) + 1, in: "votes" };
    case "unanimous":
      return { needed: count, in: "votes" };
    case "weighted":
      return { needed: Math.floor(total / 2) + 1, in: "weight" };
  }
  if ("votes" in threshold) return { needed: checkWhole("votes", threshold.votes, 1, count), in: "votes" };
  return { needed: checkWhole("weight", threshold.weight, 1, total), in: "weight" };
}
