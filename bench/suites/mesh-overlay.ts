/** The registry and the broadcast of the mesh at thousands of simulated nodes. Virtual time: the figures do not depend on the machine. */
import { type ChurnFigures, simulateBroadcast, simulateRegistry } from "../src/overlay-simulation.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const NODES = 4000;
const LISTENERS = 1000;

let run: Promise<ChurnFigures> | undefined;

/** One run serves every row and round: it takes minutes, and the same seed gives the same figures. */
function figures(): Promise<ChurnFigures> {
  run ??= simulateRegistry({
    nodes: NODES,
    seed: 1,
    medianSessionMinutes: 30,
    records: 400,
    lookups: 3000,
    warmMinutes: 5,
    measuredMinutes: 20,
  });
  return run;
}

const of = (read: (all: ChurnFigures) => number): Contestant => ({
  value: async () => read(await figures()),
});

const churn =
  `simulated ${NODES} nodes, half of which live shorter than 30 minutes, 400 agents with three records each by Kademlia, ` +
  "3,000 lookups over 20 minutes";
const left =
  "sessions, TLS and real signatures; round trips are 10 ms and an exponentially distributed 40 ms more; a death is known everywhere after 16 s; " +
  "one seed, so every sample is the same";

const lookupRow = (
  id: string,
  what: string,
  unit: string,
  read: (all: ChurnFigures) => number,
  target: RowDefinition["target"],
): RowDefinition => ({
  id,
  what: `${what}: ${churn}`,
  unit,
  better: unit === "%" ? "higher" : "lower",
  excludes: left,
  ...(target === undefined ? {} : { target }),
  glia: () => of(read),
  peers: {},
});

let seed = 0;

const broadcast: RowDefinition = {
  id: "broadcast-all",
  what: `virtual milliseconds until all of ${LISTENERS} simulated nodes heard a broadcast, another seed per round`,
  unit: "virtual ms",
  better: "lower",
  excludes: "sessions, TLS and real signatures; round trips as above",
  target: { max: 2000 },
  glia: () => ({ value: () => simulateBroadcast(LISTENERS, ++seed) }),
  peers: {},
};

/** The suite. */
export const suite: Suite = {
  title: "Mesh overlay, simulated",
  rows: [
    lookupRow(
      "registry-success",
      "lookups that name the node an agent is on",
      "%",
      (all) => all.successPercent,
      { min: 99.9 },
    ),
    lookupRow("registry-hops", "99th percentile of hops", "hops", (all) => all.hopsP99, { max: 5 }),
    lookupRow(
      "registry-latency",
      "99th percentile of virtual milliseconds",
      "virtual ms",
      (all) => all.latencyP99Ms,
      undefined,
    ),
    broadcast,
  ],
};
