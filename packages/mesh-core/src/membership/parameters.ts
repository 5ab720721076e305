/**
 * Timing of the failure detector. `lan` and `local` are the published defaults of hashicorp/memberlist (config.go); `relaxed` suspects
 * after 15 s and declares dead after 30 s.
 */
import { InvalidOptionError } from "../errors.ts";

/** A named set of parameters. */
export type MembershipProfile = "lan" | "local" | "fast" | "relaxed";

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
  /** Statements are gossiped this often... */
  readonly gossipIntervalMs: number;
  /** ...to this many random members. */
  readonly gossipNodes: number;
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
  gossipIntervalMs: 200,
  gossipNodes: 3,
  pushPullIntervalMs: 30_000,
  reconnectIntervalMs: 30_000,
  awarenessMax: 8,
  forgetAfterMs: 24 * 3_600_000,
};

/** The profiles by name. */
export const MEMBERSHIP_PROFILES: Readonly<Record<MembershipProfile, MembershipParameters>> = {
  lan: LAN,
  local: {
    ...LAN,
    probeTimeoutMs: 200,
    indirectChecks: 1,
    retransmitMult: 2,
    suspicionMult: 3,
    gossipIntervalMs: 100,
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
  // One probe round of 15 s; suspicion of exactly one more round (mult 1, no spread): dead 30 s after the last good probe.
  relaxed: {
    ...LAN,
    probeIntervalMs: 15_000,
    probeTimeoutMs: 3000,
    suspicionMult: 1,
    suspicionMaxMult: 1,
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
      throw new InvalidOptionError("membership", `${choice} is none of lan, local, fast, relaxed`);
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
