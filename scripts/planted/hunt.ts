/**
 * `node hunt.ts SCENARIO NODES SEEDS`: runs seeds 1 to SEEDS until a property does not hold, and prints what was found as one line
 * of JSON. Run in a copy of the tree that has a bug planted.
 */
import { membershipBounds, membershipSimulation } from "@glia-os/mesh-core/testing";
import { SIMULATED_DIGESTS, simulate, simulatedSigner } from "@glia-os/sim";
import { OVERLAY_RUNS } from "./bug.ts";

const [scenario = "calm", nodesText, seedsText] = process.argv.slice(2);
const [nodes, seeds] = [Number(nodesText), Number(seedsText)];

type Found = { readonly seed: number; readonly what: string } | undefined;

function huntMembers(): Found {
  for (let seed = 1; seed <= seeds; seed++) {
    const { boot, digest, check } = membershipSimulation({
      machines: nodes,
      digests: SIMULATED_DIGESTS,
      signerOf: simulatedSigner,
      bounds: membershipBounds(scenario),
    });
    const { violation } = simulate({ seed, nodes, scenario, boot, digest, check });
    if (violation !== undefined) return { seed, what: violation.what };
  }
  return undefined;
}

async function huntOverlay({
  file,
  check,
}: {
  readonly file: string;
  readonly check: string;
}): Promise<Found> {
  const folder = new URL("../../packages/mesh-core/test/simulation/", import.meta.url);
  const module = (await import(new URL(file, folder).href)) as Record<string, Check>;
  const violationOf = module[check];
  if (violationOf === undefined) throw new RangeError(`${file} has no function ${check}`);
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      const what = await violationOf(seed);
      if (what !== undefined) return { seed, what };
    } catch (error) {
      // The host of agents and the virtual time refuse what a protocol must not do.
      return { seed, what: error instanceof Error ? error.message : String(error) };
    }
  }
  return undefined;
}

type Check = (seed: number) => Promise<string | undefined>;

const overlay = OVERLAY_RUNS[scenario];
console.log(JSON.stringify((overlay === undefined ? huntMembers() : await huntOverlay(overlay)) ?? {}));
