/** How long an agent with a replica is away when its node is killed: profile `fast`, whose lease is 5 s. */
import { Failovers } from "../peers/failovers.ts";
import type { Contestant, Suite } from "../src/suite.ts";

/** Kills of which a sample is the 99th percentile: the slowest of them. */
const WINDOW = process.argv.includes("--quick") ? 2 : 15;

async function killing(): Promise<Contestant> {
  const failovers = await Failovers.start();
  const latest: number[] = [];
  return {
    async value() {
      for (let left = Math.max(1, WINDOW - latest.length); left > 0; left--)
        latest.push(await failovers.kill());
      latest.splice(0, latest.length - WINDOW);
      return Math.max(...latest);
    },
    close: () => failovers.close(),
  };
}

const EXCLUDES = "all nodes share one machine; a network adds its round trips";

export const suite: Suite = {
  title: "failover of an agent with a replica",
  rows: [
    {
      id: "failover",
      what: "from kill -9 of an agent's node to its next answer, 99th percentile of 15 kills, profile fast (lease 5 s), SQLite anchor; every answer is checked",
      unit: "ms",
      better: "lower",
      target: { max: 8000 },
      excludes: EXCLUDES,
      glia: killing,
      peers: {},
    },
  ],
};
