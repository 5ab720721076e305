/**
 * `node --conditions=@glia-os/source scripts/seeds/main.ts [RUN...] [--seeds 100] [--from 1] [--nodes 16] [--minutes N] [--json]`: tries seeds of the
 * property runs, all or those named, one seed of each in turn, and counts. A seed that fails is printed with the command that repeats it. Ends
 * after so many seeds of each, or after so many minutes, with code 1 when one failed; Ctrl-C ends it with the counts so far.
 */
import { parseArgs } from "node:util";
import { checkSeed, OVERLAY_RUNS, RUN_NAMES } from "./check-seed.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    nodes: { type: "string", default: "16" },
    minutes: { type: "string", default: "1000000" },
    json: { type: "boolean", default: false },
  },
});

function whole(name: "seeds" | "from" | "nodes" | "minutes", most: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  console.error(`--${name} ${values[name]} is not a whole number from 1 to ${most}`);
  process.exit(2);
}

const [seeds, from, nodes] = [whole("seeds", 1e9), whole("from", 1e9), whole("nodes", 1024)];
const endMs = performance.now() + whole("minutes", 1e6) * 60_000;
const unknown = positionals.filter((name) => !RUN_NAMES.includes(name));
if (unknown.length > 0) {
  console.error(`no such run: ${unknown.join(", ")}. There are: ${RUN_NAMES.join(", ")}`);
  process.exit(2);
}
const names = positionals.length === 0 ? RUN_NAMES : positionals;
const counts = new Map(names.map((name) => [name, { tried: 0, failed: 0 }]));
let stopped = false;
process.once("SIGINT", () => {
  stopped = true;
});

function replayOf(name: string, seed: number): string {
  return Object.hasOwn(OVERLAY_RUNS, name)
    ? `node --conditions=@glia-os/source scripts/seeds/main.ts ${name} --from ${seed} --seeds 1`
    : `glia sim --scenario ${name} --nodes ${nodes} --seed ${seed}`;
}

async function tryOne(name: string, seed: number): Promise<void> {
  const count = counts.get(name);
  const what = await checkSeed(name, nodes, seed);
  if (count === undefined) return;
  count.tried++;
  if (what === undefined) return;
  count.failed++;
  if (!values.json) console.log(`${name}, seed ${seed}: ${what}\n  repeat with: ${replayOf(name, seed)}`);
}

for (let seed = from; seed < from + seeds && !stopped; seed++)
  for (const name of names) {
    // Signals are heard between two seeds.
    await new Promise((resolve) => setImmediate(resolve));
    if (stopped || performance.now() > endMs) stopped = true;
    else await tryOne(name, seed);
  }
if (values.json) console.log(JSON.stringify({ from, nodes, runs: Object.fromEntries(counts) }));
else for (const [name, { tried, failed }] of counts) console.log(`${name}: ${tried} seeds, ${failed} failed`);
process.exitCode = [...counts.values()].some(({ failed }) => failed > 0) ? 1 : 0;
