/**
 * Upgrades of an agent on another node while a prober asks it 1000 times a second. All rows of an agent look at the same upgrades; each sample is over the
 * latest 20 of them (5 in a quick run, which is not kept), two of them new ones.
 */
import { assemblyScript, durable, typescript, type UpgradedAgent } from "../peers/glia/upgraded-agents.ts";
import { NodeUpgrades, type ProbedUpgrade } from "../peers/node-upgrades.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const WINDOW = process.argv.includes("--quick") ? 5 : 20;
const WARM_UP = 5;
const STEP = 2;

/** The value that so many of a hundred do not exceed (nearest rank). */
function percentile(values: readonly number[], percent: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil((values.length * percent) / 100) - 1] as number;
}

/** The upgrades of one agent, made once. */
class UpgradeSeries {
  readonly #agent: () => Promise<UpgradedAgent>;
  readonly #upgrades: ProbedUpgrade[] = [];
  #nodes: NodeUpgrades | undefined;

  constructor(agent: () => Promise<UpgradedAgent>) {
    this.#agent = agent;
  }

  /** Window `number`, from 0; the upgrades that it lacks are made. */
  async window(number: number): Promise<readonly ProbedUpgrade[]> {
    const from = number * STEP;
    while (this.#upgrades.length < from + WINDOW) this.#upgrades.push(await (await this.#open()).upgrade());
    return this.#upgrades.slice(from, from + WINDOW);
  }

  /** Let the nodes go; the upgrades stay. */
  async close(): Promise<void> {
    const nodes = this.#nodes;
    this.#nodes = undefined;
    await nodes?.close();
  }

  async #open(): Promise<NodeUpgrades> {
    if (this.#nodes !== undefined) return this.#nodes;
    const nodes = await NodeUpgrades.of(await this.#agent());
    this.#nodes = nodes;
    for (let left = WARM_UP; left > 0; left--) await nodes.upgrade();
    return nodes;
  }
}

function lookingAt(series: UpgradeSeries, figure: (latest: readonly ProbedUpgrade[]) => number): Contestant {
  let number = 0;
  return {
    value: async () => figure(await series.window(number++)),
    close: () => series.close(),
  };
}

/** The beginning of a row's id, what it says, and its figure. */
type PercentileRow = readonly [
  row: string,
  says: string,
  of: (upgrade: ProbedUpgrade) => number,
  percent: number,
];

const SUBJECTS: readonly (readonly [id: string, what: string, agent: () => Promise<UpgradedAgent>])[] = [
  ["wasm", "a WebAssembly agent", assemblyScript],
  ["typescript", "an agent in TypeScript in the sandbox", typescript],
  ["durable", "a durable agent in TypeScript", durable],
];

/** Rows whose figure is a percentile of one number of each upgrade. */
function percentileRows(what: string, meanwhile: string): readonly PercentileRow[] {
  const gap = "the largest gap between two answers";
  const elsewhere = `of ${what} on another node in as long a time without an upgrade`;
  const still = `${gap} ${elsewhere}, asked 1000 times a second, median of 20`;
  const pause = `how long ${what} began no message in an upgrade, as its node reports it, median of 20 upgrades`;
  return [
    ["gap-p50", `${gap} ${meanwhile}, median of 20 upgrades`, ({ gapMs }) => gapMs, 50],
    ["gap-p95", `${gap} ${meanwhile}, 95th percentile of 20 upgrades`, ({ gapMs }) => gapMs, 95],
    ["still-p50", still, ({ stillMs }) => stillMs, 50],
    ["pause-p50", pause, ({ pauseMs }) => pauseMs, 50],
  ];
}

function rowsOf([id, what, agent]: (typeof SUBJECTS)[number]): readonly RowDefinition[] {
  const series = new UpgradeSeries(agent);
  const excludes = "two nodes share one machine and its cores, and answers come at most once a millisecond";
  const meanwhile = `while ${what} on another node is upgraded, asked 1000 times a second`;
  const percentiles = (of: (upgrade: ProbedUpgrade) => number, percent: number) => () =>
    lookingAt(series, (latest) => percentile(latest.map(of), percent));
  return [
    ...percentileRows(what, meanwhile).map(([row, says, of, percent]) => ({
      ...({ unit: "ms", better: "lower", excludes, peers: {} } as const),
      id: `${row}-${id}`,
      what: says,
      glia: percentiles(of, percent),
    })),
    {
      id: `offered-${id}`,
      what: `asks offered in a second ${meanwhile}`,
      unit: "asks/s",
      better: "higher",
      excludes: "the prober waits when 60 asks have no answer",
      peers: {},
      glia: percentiles(({ offeredPerS }) => offeredPerS, 50),
    },
    {
      id: `wrong-${id}`,
      what: `asks that were lost or counted twice ${meanwhile}, in 20 upgrades`,
      unit: "asks",
      better: "lower",
      excludes: "asks without an answer within a minute",
      target: { max: 0 },
      peers: {},
      glia: () => lookingAt(series, (latest) => Math.max(...latest.map(({ wrong }) => wrong))),
    },
  ];
}

export const suite: Suite = { title: "upgrades of agents", rows: SUBJECTS.flatMap(rowsOf) };
