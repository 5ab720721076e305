/**
 * Which of a node's policies want agents moved away now, and how many (docs/spec/policy.md). What triggers them, with its hysteresis, is
 * decided elsewhere (`Triggers` of `@glia-os/rt`); here triggers become wishes. What `latency` wants is decided by `latency-policy.ts`.
 *
 * MP1. A wish names its policy. Wishes to leave altogether come before wishes to lighten the load.
 * MP2. A node that wants agents to leave takes none.
 * MP3. Rebalancing begins when a node has had at least {@link REBALANCE_GAP} more agents than the emptiest of the others for
 *      {@link REBALANCE_LOOKS} looks, and moves one at a time, so that two nodes never pass agents to and fro.
 */

/** The policies. */
export const POLICIES = ["battery", "thermal", "load", "rebalance", "latency"] as const;

/** One of them. */
export type PolicyName = (typeof POLICIES)[number];

/** Agents more than another node has, from which on one moves. */
export const REBALANCE_GAP = 3;
/** Looks that the difference has to last. */
export const REBALANCE_LOOKS = 3;

/** What is to move, and why. */
export interface MoveWish {
  readonly policy: PolicyName;
  /** The reason, for people: `battery-low`. */
  readonly why: string;
  /** Every agent, or one. */
  readonly moves: "all" | "one";
}

/** What a look found. */
export interface PolicyLook {
  /** Triggers that stand: names of `@glia-os/rt`. */
  readonly standing: ReadonlySet<string>;
  /** Agents on this node. */
  readonly hosting: number;
  /** Agents on the emptiest node that takes some; undefined when there is none. */
  readonly leastElsewhere: number | undefined;
}

const LEAVE: readonly (readonly [string, PolicyName])[] = [
  ["battery-low", "battery"],
  ["hot", "thermal"],
];
const LIGHTEN: readonly (readonly [string, PolicyName])[] = [
  ["warm", "thermal"],
  ["cpu-load", "load"],
  ["memory-load", "load"],
  ["queue-depth", "load"],
];

/** The policies of one node. */
export class MovementPolicies {
  readonly #enabled: Set<PolicyName>;
  #gapLooks = 0;

  constructor(enabled: Iterable<PolicyName>) {
    this.#enabled = new Set(enabled);
  }

  /** Those that are on. */
  get enabled(): readonly PolicyName[] {
    return POLICIES.filter((policy) => this.#enabled.has(policy));
  }

  /** Turn one on or off. */
  set(policy: PolicyName, on: boolean): void {
    if (on) this.#enabled.add(policy);
    else this.#enabled.delete(policy);
  }

  /** Whether agents may be sent here while these triggers stand (MP2). */
  takes(standing: ReadonlySet<string>): boolean {
    return ![...LEAVE, ...LIGHTEN].some(([trigger, policy]) => this.#wants(trigger, policy, standing));
  }

  /** What is to move now; undefined when nothing is. To be asked once for each look. */
  wish(look: PolicyLook): MoveWish | undefined {
    const rebalance = this.#rebalance(look);
    if (look.hosting === 0) return undefined;
    for (const [trigger, policy] of LEAVE)
      if (this.#wants(trigger, policy, look.standing)) return { policy, why: trigger, moves: "all" };
    for (const [trigger, policy] of LIGHTEN)
      if (this.#wants(trigger, policy, look.standing)) return { policy, why: trigger, moves: "one" };
    return rebalance;
  }

  #wants(trigger: string, policy: PolicyName, standing: ReadonlySet<string>): boolean {
    return this.#enabled.has(policy) && standing.has(trigger);
  }

  /** (MP3) */
  #rebalance({ hosting, leastElsewhere }: PolicyLook): MoveWish | undefined {
    const gap = leastElsewhere === undefined ? 0 : hosting - leastElsewhere;
    this.#gapLooks = gap >= REBALANCE_GAP ? this.#gapLooks + 1 : 0;
    if (!this.#enabled.has("rebalance") || this.#gapLooks < REBALANCE_LOOKS) return undefined;
    this.#gapLooks = 0;
    return { policy: "rebalance", why: `${gap} agents more than elsewhere`, moves: "one" };
  }
}
