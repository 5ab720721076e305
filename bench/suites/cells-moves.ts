/**
 * Agents that move between two nodes in processes of their own, over the real wire, with the registry on the SQLite store of a third node.
 *
 * The targets are those of the node: what callers of an agent see of a move. Each sample is the 95th percentile of the latest 200 moves (of 10 in a quick
 * run, which is not kept), two of them new ones. The other rows look at the same moves: where the time went, by the source's clock.
 */

import { computing, durable, type MovingAgent, rewriting } from "../peers/glia/moving-agents.ts";
import { MoveSeries, type SeriesLength } from "../peers/move-series.ts";
import type { ProbedMove } from "../peers/node-moves.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const QUICK = process.argv.includes("--quick");
const LENGTH: SeriesLength = { warmUp: 10, window: QUICK ? 10 : 200, step: 2 };
const PERCENTILE = 0.95;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** The value that 95 of a hundred do not exceed (nearest rank). */
function high(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * PERCENTILE) - 1] as number;
}

/** A figure of a series, window by window.. */
function lookingAt(series: MoveSeries, figure: (latest: readonly ProbedMove[]) => number): Contestant {
  let number = 0;
  return {
    value: async () => figure(await series.window(number++)),
    close: () => series.close(),
  };
}

/** What callers see: the largest gap, less what the same gap is without a move. */
const seen = (latest: readonly ProbedMove[]): number => {
  const still = latest.flatMap(({ stillMs }) => (stillMs === undefined ? [] : [stillMs]));
  return Math.max(0, high(latest.map(({ gapMs }) => gapMs)) - median(still));
};

/** What the source reports: from the order to stop until the word that the agent is live. */
const reported = (latest: readonly ProbedMove[]): number =>
  median(latest.map(({ report }) => report.downtimeMs));

type PhaseName = ProbedMove["report"]["phases"][number]["phase"];

const lasting =
  (wanted: PhaseName) =>
  (latest: readonly ProbedMove[]): number =>
    median(latest.map(({ report }) => report.phases.find(({ phase }) => phase === wanted)?.ms ?? 0));

/** What a standstill is made of, in its order. */
const PARTS: readonly { readonly id: string; readonly what: string; readonly phase: PhaseName }[] = [
  {
    id: "stop",
    what: "from the order to stop until the last of the state is on the wire",
    phase: "frozen",
  },
  { id: "build", what: "from then until the other node has built the agent", phase: "staged" },
  { id: "commit", what: "the compare-and-swap of the epoch at the anchor, with its flush", phase: "commit" },
  { id: "start", what: "from the word to run until the other node says that it runs", phase: "live" },
];

const EXCLUDES =
  "three nodes share one machine and its cores; a network adds its round trips and the time its bandwidth takes";

interface Subject {
  readonly id: string;
  readonly what: string;
  readonly max: number;
  readonly answered?: number;
  readonly agent: () => MovingAgent | Promise<MovingAgent>;
}

const SUBJECTS: readonly Subject[] = [
  {
    id: "durable-1000",
    what: "a durable generator with 1,000 outcomes between two checkpoints",
    max: 15,
    answered: 1000,
    agent: durable,
  },
  {
    id: "wasm-1m",
    what: "a WebAssembly agent of 1 MiB that rewrites 64 KiB with each message",
    max: 8,
    agent: () => rewriting(1),
  },
  {
    id: "wasm-64m",
    what: "a WebAssembly agent of 64 MiB that rewrites 64 KiB with each message",
    max: 15,
    agent: () => rewriting(64),
  },
  {
    id: "typescript",
    what: "an agent in TypeScript in the middle of a statement",
    max: 12,
    agent: computing,
  },
];

function rowsOf({ id, what, max, answered = 0, agent }: Subject): readonly RowDefinition[] {
  const row = { unit: "ms", better: "lower", excludes: EXCLUDES, peers: {} } as const;
  const series = new MoveSeries(agent, answered, LENGTH);
  return [
    {
      ...row,
      id: `gap-${id}`,
      what: `the gap in the answers of ${what} while it moves by pre-copy, less the gap without a move, 95th percentile of 200 moves, probed 1000 times a second`,
      target: { max },
      glia: () => lookingAt(series, seen),
    },
    {
      ...row,
      id: `still-${id}`,
      what: `how long ${what} stands still in a move, as the source reports it, median of 200 moves`,
      glia: () => lookingAt(series, reported),
    },
    ...PARTS.map(({ id: part, what: which, phase }) => ({
      ...row,
      id: `${part}-${id}`,
      what: `of the standstill of ${what}: ${which}, median of 200 moves`,
      glia: () => lookingAt(series, lasting(phase)),
    })),
  ];
}

export const suite: Suite = { title: "moves of agents between nodes", rows: SUBJECTS.flatMap(rowsOf) };
