/** Checked runs of simulated members, for tests: by scenario and seed, with the one command that repeats a failure. */
import {
  type MachineFault,
  type MachinesSimulation,
  SIMULATED_DIGESTS,
  type SimulateMachinesOptions,
  simulate,
  simulatedSigner,
} from "@glia-os/sim";
import type { Envelope } from "../../src/index.ts";
import {
  type MembershipBounds,
  type MembershipSimulation,
  type MembershipSimulationOptions,
  membershipBounds,
  membershipSimulation,
  type SimulatedMember,
} from "../../src/testing/index.ts";

/** Whether the long tier runs. */
export const SOAK: boolean = process.env["GLIA_SOAK"] === "1";

export interface MembersRun extends MembershipSimulation {
  readonly run: MachinesSimulation<SimulatedMember>;
}

export interface MembersOptions
  extends Partial<Pick<MembershipSimulationOptions, "parameters" | "onEvent" | "onAccusation">>,
    Partial<Omit<SimulateMachinesOptions<Envelope, SimulatedMember>, "boot" | "digest">> {
  readonly seed: number | string;
  readonly nodes: number;
  readonly bounds?: MembershipBounds;
}

/** One checked run. */
export function simulateMembers({
  parameters,
  onEvent,
  onAccusation,
  bounds,
  ...options
}: MembersOptions): MembersRun {
  const { scenario, nodes } = options;
  const simulation = membershipSimulation({
    machines: nodes,
    digests: SIMULATED_DIGESTS,
    signerOf: simulatedSigner,
    bounds: { ...membershipBounds(typeof scenario === "string" ? scenario : ""), ...bounds },
    ...(parameters !== undefined && { parameters }),
    ...(onEvent !== undefined && { onEvent }),
    ...(onAccusation !== undefined && { onAccusation }),
  });
  const { boot, digest, check } = simulation;
  return { ...simulation, run: simulate({ check, ...options, boot, digest }) };
}

/** The command that repeats a run. */
export function replayCommand(
  scenario: string,
  nodes: number,
  seed: number | string,
  faults?: readonly MachineFault[],
): string {
  const listed = faults === undefined ? "" : ` --faults '${JSON.stringify(faults)}'`;
  return `glia sim --scenario ${scenario} --nodes ${nodes} --seed ${seed}${listed}`;
}

/** Runs seeds of a scenario; the violations, each with its command. */
export function violations(scenario: string, nodes: number, seeds: number, from = 1): string[] {
  return Array.from({ length: seeds }, (_, i) => from + i).flatMap((seed) => {
    const { run } = simulateMembers({ scenario, nodes, seed });
    if (run.violation === undefined) return [];
    return [`${run.violation.what} (repeat with: ${replayCommand(scenario, nodes, seed)})`];
  });
}
