/**
 * Which agents of a node should be nearer to those who send to them (docs/spec/policy.md, "Latency"). Sans-IO: counts, distances and times are given.
 *
 * LP1. An agent is wanted elsewhere when one other node sent it at least {@link CALLER_SHARE} of its messages since the last look, of at least
 *      {@link LOOK_MESSAGES}, and that node is farther away than the threshold.
 * LP2. That has to be so, for the same node, at {@link LATENCY_LOOKS} looks in a row.
 * LP3. An agent that came here less than the residence ago stays. So one whose callers change goes to and fro at most once in that time.
 * LP4. It goes to the caller's node itself; where that takes none, to the node nearest to it, if that is at most half as far from it as this one.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";

/** Share of its messages that one node has to send (LP1). Two nodes cannot both have it, so there is never a tie. */
export const CALLER_SHARE = 0.6;
/** Messages between two looks below which nothing is concluded (LP1). */
export const LOOK_MESSAGES = 10;
/** Looks in a row (LP2). */
export const LATENCY_LOOKS = 3;
/** Round trip in milliseconds from which on a caller is far, unless it is set. */
export const LATENCY_THRESHOLD_MS = 20;
/** How long an agent stays where it came to, in milliseconds, unless it is set. */
export const RESIDENCE_MS = 60_000;
/** A node beside the caller's has to be this much nearer to it (LP4). */
const NEARER = 0.5;

/** How it decides. */
export interface LatencySettings {
  /** Round trip from which on a caller is far: 1 to 10,000 ms. Default {@link LATENCY_THRESHOLD_MS}. */
  readonly thresholdMs?: number;
  /** How long an agent stays where it came to: 0 to 86,400,000 ms. Default {@link RESIDENCE_MS}. */
  readonly residenceMs?: number;
}

/** What a look found. */
export interface LatencyLook {
  /** Monotonic. */
  readonly nowMs: number;
  /** Agents on this node. */
  readonly here: readonly AgentId[];
  /** Messages of each since the last look, by the node they came from; of its own node too. */
  readonly callers: ReadonlyMap<AgentId, ReadonlyMap<NodeId, number>>;
  /** Round trip to a node; undefined when it is not known. */
  rttMs(node: NodeId): number | undefined;
}

/** An agent that should be nearer to a node. */
export interface LatencyWish {
  readonly agent: AgentId;
  readonly towards: NodeId;
  /** How far that is from here. */
  readonly rttMs: number;
}

/** A node as it may be gone to. */
export interface NearbyNode {
  readonly node: NodeId;
  readonly takes: boolean;
  /** Its round trip to the caller's node; undefined when it is not known. */
  readonly rttMs: number | undefined;
}

interface Seen {
  readonly sinceMs: number;
  towards: NodeId | undefined;
  looks: number;
}

/** The latency policy of one node. */
export class LatencyPolicy {
  readonly #self: NodeId;
  readonly #thresholdMs: number;
  readonly #residenceMs: number;
  readonly #seen = new Map<AgentId, Seen>();

  constructor(self: NodeId, settings: LatencySettings = {}) {
    this.#self = self;
    this.#thresholdMs = settings.thresholdMs ?? LATENCY_THRESHOLD_MS;
    this.#residenceMs = settings.residenceMs ?? RESIDENCE_MS;
  }

  /** The wishes of a look, the farthest first. To be asked once for each look. O(agents + nodes counted). */
  look({ nowMs, here, callers, rttMs }: LatencyLook): readonly LatencyWish[] {
    const present = new Set(here);
    for (const agent of this.#seen.keys()) if (!present.has(agent)) this.#seen.delete(agent);
    const wishes: LatencyWish[] = [];
    for (const agent of here) {
      const wish = this.#judge(agent, nowMs, callers.get(agent), rttMs);
      if (wish !== undefined) wishes.push(wish);
    }
    return wishes.sort((a, b) => b.rttMs - a.rttMs || (a.agent < b.agent ? -1 : 1));
  }

  /** An agent could not be moved: what was seen of it does not count any more, so that it is not tried at every look. */
  refused(agent: AgentId): void {
    const seen = this.#seen.get(agent);
    if (seen !== undefined) seen.looks = 0;
  }

  #judge(
    agent: AgentId,
    nowMs: number,
    counts: ReadonlyMap<NodeId, number> | undefined,
    rttMs: LatencyLook["rttMs"],
  ): LatencyWish | undefined {
    const seen = this.#seen.get(agent) ?? { sinceMs: nowMs, towards: undefined, looks: 0 };
    this.#seen.set(agent, seen);
    const caller = mostOf(counts);
    const far = caller === undefined || caller === this.#self ? undefined : rttMs(caller);
    if (caller === undefined || far === undefined || far < this.#thresholdMs) {
      seen.towards = undefined;
      seen.looks = 0;
      return undefined;
    }
    seen.looks = seen.towards === caller ? seen.looks + 1 : 1;
    seen.towards = caller;
    const settled = nowMs - seen.sinceMs >= this.#residenceMs;
    return settled && seen.looks >= LATENCY_LOOKS ? { agent, towards: caller, rttMs: far } : undefined;
  }
}

/** The node that sent most of enough messages (LP1). */
function mostOf(counts: ReadonlyMap<NodeId, number> | undefined): NodeId | undefined {
  let all = 0;
  let most: readonly [NodeId, number] | undefined;
  for (const one of counts ?? []) {
    all += one[1];
    if (most === undefined || one[1] > most[1]) most = one;
  }
  return most !== undefined && all >= LOOK_MESSAGES && most[1] >= all * CALLER_SHARE ? most[0] : undefined;
}

/** Where an agent goes to be nearer to a node, the best first (LP4). `rttMs`: how far it is from where the agent is. */
export function nearer(
  nodes: readonly NearbyNode[],
  { towards, rttMs }: Pick<LatencyWish, "towards" | "rttMs">,
): readonly NodeId[] {
  return nodes
    .filter(({ takes }) => takes)
    .map(({ node, rttMs: far }) => ({ node, far: node === towards ? 0 : far }))
    .filter((one): one is { node: NodeId; far: number } => one.far !== undefined && one.far <= rttMs * NEARER)
    .sort((a, b) => a.far - b.far || (a.node < b.node ? -1 : 1))
    .map(({ node }) => node);
}
