/**
 * `node hunt.ts SCENARIO NODES SEEDS`: runs seeds 1 to SEEDS until a property does not hold, and prints what was found as one line
 * of JSON. Run in a copy of the tree that has a bug planted.
 */
import { checkSeed } from "../seeds/check-seed.ts";

const [scenario = "calm", nodesText, seedsText] = process.argv.slice(2);
const [nodes, seeds] = [Number(nodesText), Number(seedsText)];

async function hunt(): Promise<{ readonly seed?: number; readonly what?: string }> {
  for (let seed = 1; seed <= seeds; seed++) {
    const what = await checkSeed(scenario, nodes, seed);
    if (what !== undefined) return { seed, what };
  }
  return {};
}

console.log(JSON.stringify(await hunt()));
