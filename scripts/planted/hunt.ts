/**
 * `node hunt.ts SCENARIO NODES SEEDS`: runs seeds 1 to SEEDS until a property of membership does not hold, and prints what was found as one line
 * of JSON. Run in a copy of the tree that has a bug planted.
 */
import { membershipBounds, membershipSimulation } from "@glia-os/mesh-core/testing";
import { SIMULATED_DIGESTS, simulate, simulatedSigner } from "@glia-os/sim";

const [scenario = "calm", nodesText, seedsText] = process.argv.slice(2);
const [nodes, seeds] = [Number(nodesText), Number(seedsText)];

function hunt(): { readonly seed: number; readonly what: string } | undefined {
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

console.log(JSON.stringify(hunt() ?? {}));
