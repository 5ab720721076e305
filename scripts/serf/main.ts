/**
 * `node --conditions=@glia-os/source scripts/serf/main.ts [--size 24] [--kills 6] [--seeds 100] [--json]`: compares the simulated membership with
 * real serf agents. Starts agents on 127.0.0.1 with the LAN profile, kills some with SIGKILL, and measures when the first and when the last of the
 * others says so; then does the same in simulation. Exit code 1 when a median differs by more than 15 %, 2 when serf is not installed.
 *
 * Takes about two minutes with the defaults. Ends only what it started.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { quantile } from "@glia-os/mesh-core/testing";
import { SerfAgents, sleep } from "./agents.ts";
import { simulatedKills } from "./simulated.ts";

const AGREE = 0.15;
const KILL_LIMIT_MS = 60_000;
const { values } = parseArgs({
  options: {
    size: { type: "string", default: "24" },
    kills: { type: "string", default: "6" },
    seeds: { type: "string", default: "100" },
    json: { type: "boolean", default: false },
  },
});

function setting(name: "size" | "kills" | "seeds", least: number, most: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  console.error(`--${name} ${values[name]} is not a whole number from ${least} to ${most}`);
  process.exit(2);
}

const size = setting("size", 4, 64);
const kills = setting("kills", 1, size - 3);
const seeds = setting("seeds", 1, 10_000);
const version = spawnSync("serf", ["version"], { encoding: "utf8" });
if (version.error !== undefined) {
  console.error("serf is not installed (Debian: apt-get install serf); nothing was compared");
  process.exit(2);
}

type Kill = { readonly firstMs: number; readonly allMs: number; readonly heard: number };

async function realKills(): Promise<Kill[]> {
  const agents = await SerfAgents.start(size);
  const stop = (): void => {
    agents.stop();
    process.exit(130);
  };
  process.once("SIGINT", stop);
  try {
    await sleep(5000);
    const results: Kill[] = [];
    for (let i = 0; i < kills; i++) {
      results.push(await agents.kill(size - 1 - i, KILL_LIMIT_MS));
      if (!values.json) console.log(`serf: kill ${i + 1} of ${kills}: ${shown(results.at(-1))}`);
      await sleep(2000);
    }
    return results;
  } finally {
    process.off("SIGINT", stop);
    agents.stop();
  }
}

function shown(kill: Kill | undefined): string {
  return kill === undefined
    ? "nothing"
    : `first after ${Math.round(kill.firstMs)} ms, last after ${Math.round(kill.allMs)} ms, heard by ${kill.heard}`;
}

const real = await realKills();
const simulated = Array.from({ length: seeds }, (_, seed) => simulatedKills(size, kills, seed + 1)).flat();
const median = (list: readonly Kill[], of: "firstMs" | "allMs"): number =>
  quantile(
    list.map((kill) => kill[of]),
    0.5,
  ) ?? Number.NaN;
const rows = (["firstMs", "allMs"] as const).map((name) => {
  const [serf, sim] = [median(real, name), median(simulated, name)];
  return { name, serf, sim, ratio: sim / serf, agrees: Math.abs(sim / serf - 1) <= AGREE };
});
if (values.json) {
  const serfVersion = version.stdout.split("\n")[0];
  console.log(JSON.stringify({ size, kills, seeds, serfVersion, real, rows }));
} else {
  console.log(
    `\n${size} members, profile LAN; medians of ${real.length} kills and of ${simulated.length} simulated ones, in ms`,
  );
  console.log("            serf   simulated   ratio");
  for (const { name, serf, sim, ratio } of rows)
    console.log(
      `${name.padEnd(9)}${serf.toFixed(0).padStart(7)}${sim.toFixed(0).padStart(12)}${ratio.toFixed(2).padStart(8)}`,
    );
}
process.exitCode = rows.every(({ agrees }) => agrees) ? 0 : 1;
