/**
 * Moving a guest by post-copy between two processes: how soon it runs, how soon all of it is there, and how quick it is until then.
 *
 * The targets are those of a move whose pause does not depend on how much the guest writes: 6 ms for a small working set, 25 ms for one
 * of 4 MiB, which has to come before a slice that touches all of it is over.
 */
import type { Size } from "../peers/glia/rewriting-guest.ts";
import { HandedMoves, type HandedOver } from "../peers/handed-moves.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = KIBIBYTE * KIBIBYTE;
const WARM_UP_MOVES = 2;
const MOVES_PER_SAMPLE = 5;

interface Move {
  readonly id: string;
  readonly size: Size;
  readonly target: number;
}

const MOVES: readonly Move[] = [
  { id: "64m-64k", size: { mebibytes: 64, working: 64 * KIBIBYTE }, target: 6 },
  { id: "64m-4m", size: { mebibytes: 64, working: 4 * MEBIBYTE }, target: 25 },
];

/** The moves of each round, kept for the rows that look at the same ones. */
const kept: Map<string, HandedOver[][]> = new Map();

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

async function moves({ id, size }: Move): Promise<Contestant> {
  const pair = await HandedMoves.of(size);
  const rounds: HandedOver[][] = [];
  kept.set(id, rounds);
  for (let left = WARM_UP_MOVES; left > 0; left--) await pair.move();
  return {
    async value() {
      const all: HandedOver[] = [];
      for (let left = MOVES_PER_SAMPLE; left > 0; left--) all.push(await pair.move());
      rounds.push(all);
      return median(all.map(({ firstSliceMs }) => firstSliceMs));
    },
    close: () => pair.close(),
  };
}

/** A figure of the moves that the first row made, round by round. */
function figure({ id }: Move, of: (moves: readonly HandedOver[]) => number): Contestant {
  const rounds = kept.get(id) ?? [];
  let next = 0;
  return { value: () => of(rounds[next++ % rounds.length] as HandedOver[]) };
}

function checkedSpeed(moves: readonly HandedOver[]): number {
  const known = moves.flatMap(({ checkedSpeed: speed }) => (speed === undefined ? [] : [speed]));
  if (known.length === 0) throw new RangeError("no slice ended while pages were missing");
  return median(known);
}

function moveRows(move: Move): RowDefinition[] {
  const { id, size, target } = move;
  const guest = `a guest of ${size.mebibytes} MiB that rewrites ${size.working / KIBIBYTE} KiB over and over, moved by post-copy between two processes`;
  const row = (name: string, what: string): Omit<RowDefinition, "glia"> => ({
    id: `${name}-${id}`,
    what: `${guest}: ${what}, median of ${MOVES_PER_SAMPLE} moves`,
    unit: "ms",
    better: "lower",
    excludes: "a network; both processes and this harness share one machine and its cores",
    peers: {},
  });
  return [
    {
      ...row(
        "first-slice",
        "from the end of the last slice at the source to the end of the first one (about half a millisecond of work) at the destination",
      ),
      target: { max: target },
      glia: () => moves(move),
    },
    {
      ...row("resident", "until every page is at the destination, where the guest runs meanwhile"),
      glia: () => figure(move, (all) => median(all.map(({ residentMs }) => residentMs))),
    },
    {
      ...row("checked-speed", "speed while pages are missing, over that at the source before"),
      unit: "x",
      better: "higher",
      glia: () => figure(move, checkedSpeed),
    },
    {
      ...row("settled-speed", "speed once all of them are there, over that at the source before"),
      unit: "x",
      better: "higher",
      glia: () => figure(move, (all) => median(all.map(({ settledSpeed }) => settledSpeed))),
    },
  ];
}

export const suite: Suite = {
  title: "WebAssembly guests: post-copy",
  rows: MOVES.flatMap(moveRows),
};
