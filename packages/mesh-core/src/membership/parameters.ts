/**
 * Timing of the failure detector. `lan`, `wan` and `local` are the published defaults of hashicorp/memberlist (config.go); `relaxed`
 * suspects within 15 s and declares dead within 30 s, as the seeds do.
 */
import { InvalidOptionError } from "../errors.ts";

/** A named set of parameters. */
export type MembershipProfile = "lan" | "wan" | "local" | "fast" | "relaxed";

/** Parameters of SWIM. All times in milliseconds. */
export interface MembershipParameters {
  /** One member is probed this often. */
  readonly probeIntervalMs: number;
  /** A direct probe is answered in this time, or the indirect ones start. Below `probeIntervalMs`. */
  readonly probeTimeoutMs: number;
  /** Members asked to probe in our place. */
  readonly indirectChecks: number;
  /** A statement is sent `retransmitMult * ceil(log10(n + 1))` times. */
  readonly retransmitMult: number;
  /** Least suspicion time is `suspicionMult * max(1, log10 n) * probeIntervalMs`. */
  readonly suspicionMult: number;
  /** Longest suspicion time is this many times the least; independent accusers shorten it (Lifeguard). */
  readonly suspicionMaxMult: number;
  /** A suspicion lasts exactly this long, whatever the size and the accusers; 0 for the formula above. */
  readonly suspicionFixedMs: number;
  /** Statements are gossiped this often... */
  readonly gossipIntervalMs: number;
  /** ...to this many random members. */
  readonly gossipNodes: number;
  /** A member that has been dead for less than this is still gossiped to, so that it can refute. */
  readonly gossipToTheDeadMs: number;
  /** Whole tables are exchanged with one random member this often. */
  readonly pushPullIntervalMs: number;
  /** One dead member is dialled and, if it answers, tables are exchanged, this often: how partitions heal. */
  readonly reconnectIntervalMs: number;
  /** Local health score grows up to this minus one and stretches the probe interval (Lifeguard). */
  readonly awarenessMax: number;
  /** A dead or left member is forgotten after this time. */
  readonly forgetAfterMs: number;
}

const LAN: MembershipParameters = {
  probeIntervalMs: 1000,
  probeTimeoutMs: 500,
  indirectChecks: 3,
  retransmitMult: 4,
  suspicionMult: 4,
  suspicionMaxMult: 6,
  suspicionFixedMs: 0,
  gossipIntervalMs: 200,
  gossipNodes: 3,
  gossipToTheDeadMs: 30_000,
  pushPullIntervalMs: 30_000,
  reconnectIntervalMs: 30_000,
  awarenessMax: 8,
  forgetAfterMs: 24 * 3_600_000,
};

/** The profiles by name. */
export const MEMBERSHIP_PROFILES: Readonly<Record<MembershipProfile, MembershipParameters>> = {
  lan: LAN,
  wan: {
    ...LAN,
    probeIntervalMs: 5000,
    probeTimeoutMs: 3000,
    suspicionMult: 6,
    gossipIntervalMs: 500,
    gossipNodes: 4,
    gossipToTheDeadMs: 60_000,
    pushPullIntervalMs: 60_000,
  },
  local: {
    ...LAN,
    probeTimeoutMs: 200,
    indirectChecks: 1,
    retransmitMult: 2,
    suspicionMult: 3,
    gossipIntervalMs: 100,
    gossipToTheDeadMs: 15_000,
    pushPullIntervalMs: 15_000,
    reconnectIntervalMs: 15_000,
  },
  fast: {
    ...LAN,
    probeIntervalMs: 500,
    probeTimeoutMs: 150,
    suspicionMult: 3,
    suspicionMaxMult: 4,
    gossipIntervalMs: 100,
    pushPullIntervalMs: 10_000,
    reconnectIntervalMs: 10_000,
  },
  // A probe every 5 s, judged 5 s later, so that somebody suspects a silent member within 15 s; dead exactly 15 s after that.
  relaxed: {
    ...LAN,
    probeIntervalMs: 5000,
    probeTimeoutMs: 2000,
    suspicionFixedMs: 15_000,
    gossipIntervalMs: 500,
    pushPullIntervalMs: 60_000,
    reconnectIntervalMs: 60_000,
  },
};

const RANGES: Readonly<Record<keyof MembershipParameters, readonly [number, number]>> = {
  probeIntervalMs: [10, 600_000],
  probeTimeoutMs: [5, 600_000],
  indirectChecks: [0, 16],
  retransmitMult: [1, 64],
  suspicionMult: [1, 64],
  suspicionMaxMult: [1, 64],
  gossipIntervalMs: [5, 600_000],
  gossipNodes: [1, 16],
  suspicionFixedMs: [0, 3_600_000],
  gossipToTheDeadMs: [0, 3_600_000],
  pushPullIntervalMs: [50, 3_600_000],
  reconnectIntervalMs: [50, 3_600_000],
  awarenessMax: [1, 64],
  forgetAfterMs: [1000, 30 * 24 * 3_600_000],
};

/** The parameters a name or a set means. @throws {InvalidOptionError} for a value out of its range. */
export function membershipParameters(
  choice: MembershipProfile | MembershipParameters = "lan",
): MembershipParameters {
  if (typeof choice === "string") {
    if (!Object.hasOwn(MEMBERSHIP_PROFILES, choice))
      throw new InvalidOptionError("membership", `${choice} is none of lan, wan, local, fast, relaxed`);
    return MEMBERSHIP_PROFILES[choice];
  }
  for (const [name, [min, max]] of Object.entries(RANGES)) {
    const value = choice[name as keyof MembershipParameters];
    if (!Number.isFinite(value) || value < min || value > max)
      throw new InvalidOptionError(`membership.${name}`, `${value} is not from ${min} to ${max}`);
  }
  if (choice.probeTimeoutMs >= choice.probeIntervalMs)
    throw new InvalidOptionError("membership.probeTimeoutMs", "it is not below probeIntervalMs");
  return choice;
}
