/**
 * Moving a guest by pre-copy between two processes, and what marking written pages costs the guest meanwhile.
 *
 * The targets of the gaps are those of a move that callers do not notice: 3 ms for a small working set, 15 ms for 4 MiB, 4 ms for
 * a memory four times as large. Each sample is the 95th percentile of the latest 200 moves (of 10 in a quick run, which is not kept).
 */
import type { WasmInstance, WasmProgram } from "@glia-os/wasm";
import { createWasmEngine } from "@glia-os/wasm";
import { PROGRAMS, type ProgramName, profiled, type Run } from "../peers/glia/compute-guest.ts";
import { rewritingGuest, type Size } from "../peers/glia/rewriting-guest.ts";
import { type Probed, ProbedMoves } from "../peers/probed-moves.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = KIBIBYTE * KIBIBYTE;
const NS_PER_MS = 1e6;
const WARM_UP_MOVES = 3;
/** Moves of which a sample is the 95th percentile. */
const WINDOW = process.argv.includes("--quick") ? 10 : 200;
/** New ones in each sample. */
const NEW_MOVES = 10;
const PERCENTILE = 0.95;
/** Runs of a program of which the quickest counts, in each sample. */
const TRIES = 5;
const WARM_MS = 1000;
const NAMES = Object.keys(PROGRAMS) as ProgramName[];

interface Move {
  readonly id: string;
  readonly size: Size;
  readonly target: number;
}

const MOVES: readonly Move[] = [
  { id: "64m-64k", size: { mebibytes: 64, working: 64 * KIBIBYTE }, target: 3 },
  { id: "64m-4m", size: { mebibytes: 64, working: 4 * MEBIBYTE }, target: 15 },
  { id: "256m-64k", size: { mebibytes: 256, working: 64 * KIBIBYTE }, target: 4 },
];

/** The moves of each round, kept for the rows that look at the same ones. */
const kept: Map<string, Probed[][]> = new Map();

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** The value that 95 of a hundred do not exceed (nearest rank). */
function high(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * PERCENTILE) - 1] as number;
}

async function gaps({ id, size }: Move): Promise<Contestant> {
  const pair = await ProbedMoves.of(size);
  const rounds: Probed[][] = [];
  kept.set(id, rounds);
  for (let left = WARM_UP_MOVES; left > 0; left--) await pair.move();
  const latest: Probed[] = [];
  return {
    async value() {
      for (let left = Math.max(NEW_MOVES, WINDOW - latest.length); left > 0; left--)
        latest.push(await pair.move());
      latest.splice(0, latest.length - WINDOW);
      rounds.push([...latest]);
      return Math.max(
        0,
        high(latest.map(({ gapMs }) => gapMs)) - median(latest.map(({ stillMs }) => stillMs)),
      );
    },
    close: () => pair.close(),
  };
}

/** A figure of the moves that the row of gaps made, round by round. */
function figure({ id }: Move, of: (moves: readonly Probed[]) => number): Contestant {
  const rounds = kept.get(id) ?? [];
  let next = 0;
  return { value: () => of(rounds[next++ % rounds.length] as Probed[]) };
}

const SHARED = "a network; both processes, the prober and this harness share one machine and its cores";

function moveRows(move: Move): RowDefinition[] {
  const { id, size, target } = move;
  const { mebibytes, working } = size;
  const guest = `a guest of ${mebibytes} MiB that rewrites ${working / KIBIBYTE} KiB over and over`;
  const row = (name: string, what: string): Omit<RowDefinition, "glia"> => ({
    id: `${name}-${id}`,
    what: `${guest}, moved between two processes: ${what}`,
    unit: "ms",
    better: "lower",
    excludes: SHARED,
    peers: {},
  });
  return [
    {
      ...row(
        "gap-p95",
        `largest gap between answers to a prober that asks once a millisecond, 95th percentile of ${WINDOW} moves, less the median of the same without a move`,
      ),
      target: { max: target },
      glia: () => gaps(move),
    },
    {
      ...row(
        "still",
        "that largest gap in as long a time without a move, median: what the machine adds by itself",
      ),
      glia: () => figure(move, (all) => median(all.map(({ stillMs }) => stillMs))),
    },
    {
      ...row(
        "handover",
        "from the end of the last slice at the source to the end of the first one at the destination, median",
      ),
      glia: () => figure(move, (all) => median(all.map(({ handoverMs }) => handoverMs))),
    },
  ];
}

function timed(run: Run, name: ProgramName): number {
  const start = process.hrtime.bigint();
  run(name);
  return Number(process.hrtime.bigint() - start);
}

/** Time while writes are marked over time without. */
async function tracked(names: readonly ProgramName[]): Promise<Contestant> {
  const [marking, plain] = [await profiled("preemptive", undefined, true), await profiled("preemptive")];
  const slowdown = (name: ProgramName): number => {
    let [slow, fast] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let left = TRIES; left > 0; left--) {
      slow = Math.min(slow, timed(marking, name));
      fast = Math.min(fast, timed(plain, name));
    }
    return slow / fast;
  };
  const value = (): number =>
    Math.exp(names.reduce((sum, name) => sum + Math.log(slowdown(name)), 0) / names.length);
  const until = process.hrtime.bigint() + BigInt(WARM_MS * NS_PER_MS);
  while (process.hrtime.bigint() < until) value();
  return { value };
}

function trackedRow(id: string, what: string, names: readonly ProgramName[]): RowDefinition {
  return {
    id: `tracked-${id}`,
    what: `${what}: time of the profile preemptive while written pages are marked, over the same without`,
    unit: "x",
    better: "lower",
    excludes: "the rounds of the pre-copy; the quickest of five runs on either side counts",
    glia: () => tracked(names),
    peers: {},
  };
}

/** A suspended guest of 64 MiB that goes into the tracked module and back. */
async function swapping(): Promise<Contestant> {
  const program: WasmProgram = await createWasmEngine().admit(
    await rewritingGuest({ mebibytes: 64, working: 64 * KIBIBYTE }),
    [],
  );
  const tracking = await program.tracking();
  const host = { log: () => undefined, wallMs: () => 0, random: () => undefined, reply: () => 0 };
  const it: WasmInstance = program.instantiate({}, host);
  it.step(undefined, 1_000_000);
  return {
    run(times) {
      for (let left = times; left > 0; left--) {
        it.untrack(it.track(tracking));
      }
    },
  };
}

export const suite: Suite = {
  title: "WebAssembly guests: pre-copy",
  rows: [
    ...MOVES.flatMap(moveRows),
    trackedRow("geometric-mean", `geometric mean of ${NAMES.join(", ")}`, NAMES),
    ...NAMES.map((name) => trackedRow(name, name, [name])),
    {
      id: "swap",
      what: "a suspended guest of 64 MiB goes on in the module that marks its writes, and back, without running",
      unit: "us",
      better: "lower",
      excludes: "compiling that module, which is done once per program, and optimising its code as it runs",
      target: { max: 1000 },
      glia: swapping,
      peers: {},
    },
  ],
};
