/**
 * Agents that move between two nodes in processes of their own, over the real wire, with the registry on the SQLite store of a third node.
 *
 * The targets are those of the node: what callers of an agent see of a move. Each sample is the 95th percentile of the latest 200 moves (of 10 in a quick
 * run, which is not kept).
 */
import { computing, durable, type MovingAgent, rewriting } from "../peers/glia/moving-agents.ts";
import { NodeMoves, type ProbedMove } from "../peers/node-moves.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const WARM_UP_MOVES = 20;
/** Moves of which a sample is the 95th percentile. */
const WINDOW = process.argv.includes("--quick") ? 10 : 200;
/** New ones in each sample. */
const NEW_MOVES = 10;
const PERCENTILE = 0.95;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

/** The value that 95 of a hundred do not exceed (nearest rank). */
function high(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * PERCENTILE) - 1] as number;
}

/** Moves of an agent, looked at in one way. */
async function moves(
  agent: MovingAgent,
  answered: number,
  figure: (latest: readonly ProbedMove[]) => number,
): Promise<Contestant> {
  const nodes = await NodeMoves.of(agent, answered);
  for (let left = WARM_UP_MOVES; left > 0; left--) await nodes.move();
  const latest: ProbedMove[] = [];
  return {
    async value() {
      for (let left = Math.max(NEW_MOVES, WINDOW - latest.length); left > 0; left--)
        latest.push(await nodes.move());
      latest.splice(0, latest.length - WINDOW);
      return figure(latest);
    },
    close: () => nodes.close(),
  };
}

/** What callers see: the largest gap, less what the same gap is without a move. */
const seen = (latest: readonly ProbedMove[]): number =>
  Math.max(0, high(latest.map(({ gapMs }) => gapMs)) - median(latest.map(({ stillMs }) => stillMs)));

/** What the source reports: from the order to stop until the word that the agent is live. */
const reported = (latest: readonly ProbedMove[]): number =>
  median(latest.map(({ report }) => report.downtimeMs));

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
  return [
    {
      ...row,
      id: `gap-${id}`,
      what: `the gap in the answers of ${what} while it moves by pre-copy, less the gap without a move, 95th percentile of 200 moves, probed 1000 times a second`,
      target: { max },
      glia: async () => moves(await agent(), answered, seen),
    },
    {
      ...row,
      id: `still-${id}`,
      what: `how long ${what} stands still in a move, as the source reports it, median of 200 moves`,
      glia: async () => moves(await agent(), answered, reported),
    },
  ];
}

export const suite: Suite = { title: "moves of agents between nodes", rows: SUBJECTS.flatMap(rowsOf) };
