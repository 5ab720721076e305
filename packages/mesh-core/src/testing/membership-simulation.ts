/**
 * What a simulator needs to run and check membership, for one run: `simulate({ seed, nodes, scenario, ...membershipSimulation(...) })`.
 */
import type { Envelope } from "../codec/envelope.ts";
import { type MembershipBounds, MembershipChecker, type MembershipWorld } from "./membership-properties.ts";
import {
  type MembershipMachine,
  type SimulatedMember,
  SimulatedMembership,
  type SimulatedMembershipOptions,
} from "./simulated-membership.ts";

/** Options of a checked run. */
export interface MembershipSimulationOptions extends SimulatedMembershipOptions {
  readonly bounds?: MembershipBounds;
}

/** One run's program, digest and check. */
export interface MembershipSimulation {
  readonly cluster: SimulatedMembership;
  readonly checker: MembershipChecker;
  readonly boot: (machine: MembershipMachine) => SimulatedMember;
  readonly digest: (message: Envelope) => number;
  readonly check: (world: MembershipWorld) => string | undefined;
}

/** Bounds by the name of a scenario, where they differ from the defaults. */
const SCENARIO_BOUNDS: Readonly<Record<string, MembershipBounds>> = {
  gray: { healthyDeathsMax: 15, falseViewsMax: 15 },
  "gray-io": { healthyDeathsMax: 15, falseViewsMax: 15 },
  lossy: { lossy: true },
  // With three datagrams in ten lost, a probe fails now and then by all ways: these are counted, and are few.
  storm: { healthyInWeather: true, healthyDeathsMax: 3, falseViewsMax: 16 },
  // Whoever was cut off believes the others dead, and tells them so when it is back; they refute it.
  "one-way": { falseViewsMax: 1000 },
  chaos: { lossy: true, healthyDeathsMax: 3, falseViewsMax: 1000 },
};

/** What a scenario is checked against. */
export function membershipBounds(scenario: string): MembershipBounds {
  return SCENARIO_BOUNDS[scenario] ?? {};
}

/** Make the parts of one run. Not for a second one: the checker remembers. */
export function membershipSimulation(options: MembershipSimulationOptions): MembershipSimulation {
  const { bounds, onEvent, onAccusation } = options;
  const cluster = new SimulatedMembership({
    ...options,
    onEvent: (viewer, event) => {
      checker.heard(viewer, event);
      onEvent?.(viewer, event);
    },
    onAccusation: (accuser, subject, verdict) => {
      checker.accused(accuser, subject, verdict);
      onAccusation?.(accuser, subject, verdict);
    },
  });
  const checker = new MembershipChecker(cluster, bounds);
  const check = (world: MembershipWorld): string | undefined => checker.check(world);
  return { cluster, checker, boot: cluster.boot, digest: cluster.digest, check };
}
