/**
 * One seed of one property run: a scenario of membership, or a run of the overlay, of admission or of moves.
 *
 * CS1. What is wrong with a seed is a function of the run, the number of nodes and the seed: the same ones say the same again.
 */
import { membershipBounds, membershipSimulation } from "@glia-os/mesh-core/testing";
import { MACHINE_SCENARIOS, SIMULATED_DIGESTS, simulate, simulatedSigner } from "@glia-os/sim";

const MESH = "packages/mesh-core/test/simulation";
const CELLS = "packages/cells/test/simulation";

/** Runs of the overlay, of admission and of moves, by the file that checks a seed, and the name of the function. */
export const OVERLAY_RUNS: Readonly<Record<string, { readonly file: string; readonly check: string }>> = {
  routed: { file: `${MESH}/routed-run.ts`, check: "routedViolation" },
  registry: { file: `${MESH}/registry-run.ts`, check: "registryViolation" },
  diversity: { file: `${MESH}/diversity-run.ts`, check: "diversityViolation" },
  exchange: { file: `${MESH}/exchange-run.ts`, check: "exchangeViolation" },
  certificates: { file: `${MESH}/certificates-run.ts`, check: "certificatesViolation" },
  nodes: { file: `${MESH}/mesh-nodes.ts`, check: "meshViolation" },
  moves: { file: `${MESH}/moves-run.ts`, check: "movesViolation" },
  "moving-cells": { file: `${CELLS}/moving-cells-run.ts`, check: "movingCellsViolation" },
};

/** Every run there is, the scenarios of membership first. */
export const RUN_NAMES: readonly string[] = [...Object.keys(MACHINE_SCENARIOS), ...Object.keys(OVERLAY_RUNS)];

type Check = (seed: number) => Promise<string | undefined>;

/** What does not hold for a seed; undefined when all does. `nodes` counts for scenarios of membership only. */
export async function checkSeed(run: string, nodes: number, seed: number): Promise<string | undefined> {
  const overlay = OVERLAY_RUNS[run];
  if (overlay === undefined) return checkMembers(run, nodes, seed);
  const module = (await import(new URL(`../../${overlay.file}`, import.meta.url).href)) as Record<
    string,
    Check
  >;
  const violationOf = module[overlay.check];
  if (violationOf === undefined) throw new RangeError(`${overlay.file} has no function ${overlay.check}`);
  try {
    return await violationOf(seed);
  } catch (error) {
    // The host of agents and the virtual time refuse what a protocol must not do.
    return error instanceof Error ? error.message : String(error);
  }
}

function checkMembers(scenario: string, nodes: number, seed: number): string | undefined {
  const { boot, digest, check } = membershipSimulation({
    machines: nodes,
    digests: SIMULATED_DIGESTS,
    signerOf: simulatedSigner,
    bounds: membershipBounds(scenario),
  });
  return simulate({ seed, nodes, scenario, boot, digest, check }).violation?.what;
}
