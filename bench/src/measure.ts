/**
 * The measuring loop.
 *
 * B1. Ours and every peer run once in each round, in an order that rotates, so that a slow phase of the machine and what one
 *     leaves in the caches for the next hits all of them alike.
 * B2. A sample repeats its operation often enough to last `sampleMs`; the count is found before the first round, which also
 *     warms the code up.
 */
import { CALIBRATION } from "./calibration.ts";
import { met } from "./met.ts";
import type { ResultRow } from "./result.ts";
import { median, pairedRatio, rounded } from "./statistics.ts";
import { type Contestant, type RowDefinition, TIME_UNITS } from "./suite.ts";

/** How thorough a run is. */
export interface Effort {
  readonly rounds: number;
  readonly sampleMs: number;
}

/** A run that is kept. */
export const FULL: Effort = { rounds: 15, sampleMs: 100 };
/** A run that only shows that everything works. */
export const QUICK: Effort = { rounds: 3, sampleMs: 5 };
/** Calibration samples are shorter: there are three of them in every round. */
const CALIBRATION_SHARE = 0.25;
const MOST_REPEATS = 2 ** 30;
const NS_PER_MS = 1e6;

interface Runner {
  readonly name: string;
  readonly samples: number[];
  sample(): Promise<number>;
  close(): Promise<void>;
}

/** What measuring a suite's rows gives. */
export interface Measured {
  readonly rows: readonly ResultRow[];
  readonly calibration: Readonly<Record<string, number>>;
  readonly missing: readonly string[];
}

/** Measure rows one after the other. `report` is told what is being measured. */
export async function measureRows(
  rows: readonly RowDefinition[],
  effort: Effort,
  report: (line: string) => void,
): Promise<Measured> {
  const calibration = await openCalibration(effort);
  const missing = new Set<string>();
  const measured: ResultRow[] = [];
  try {
    for (const row of rows) {
      report(`${row.id}: ${effort.rounds} rounds`);
      measured.push(await measureRow(row, effort, calibration, missing));
    }
  } finally {
    for (const runner of calibration) await runner.close();
  }
  const facts = calibration.map(({ name, samples }) => [name, rounded(median(samples))] as const);
  return { rows: measured, calibration: Object.fromEntries(facts), missing: [...missing].sort() };
}

async function openCalibration(effort: Effort): Promise<readonly Runner[]> {
  const sampleMs = effort.sampleMs * CALIBRATION_SHARE;
  const runners: Runner[] = [];
  for (const [name, row] of Object.entries(CALIBRATION)) {
    runners.push(await openRunner(name, await row.glia(), row.unit, sampleMs));
  }
  return runners;
}

async function measureRow(
  row: RowDefinition,
  effort: Effort,
  calibration: readonly Runner[],
  missing: Set<string>,
): Promise<ResultRow> {
  const runners = [await openRunner("glia", await row.glia(), row.unit, effort.sampleMs)];
  try {
    for (const [name, open] of Object.entries(row.peers)) {
      const peer = await open();
      if (peer === undefined) missing.add(name);
      else runners.push(await openRunner(name, peer, row.unit, effort.sampleMs));
    }
    for (let round = 0; round < effort.rounds; round++) {
      for (const runner of calibration) runner.samples.push(await runner.sample());
      for (const runner of rotated(runners, round)) runner.samples.push(await runner.sample());
    }
  } finally {
    for (const runner of runners) await runner.close();
  }
  return resultRow(row, runners);
}

/** The list begun at another place each round (B1). */
export function rotated<Item>(items: readonly Item[], round: number): readonly Item[] {
  const start = round % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function resultRow(row: RowDefinition, runners: readonly Runner[]): ResultRow {
  const [glia, ...peers] = runners;
  const samples = glia!.samples.map(rounded);
  const medians = peers.map(({ name, samples: theirs }) => [name, rounded(median(theirs))] as const);
  const ratios = peers.map(
    (peer) => [peer.name, rounded(pairedRatio(glia!.samples, peer.samples, row.better))] as const,
  );
  const judged = {
    glia: rounded(median(samples)),
    unit: row.unit,
    ratios: Object.fromEntries(ratios),
    target: row.target ?? {},
  };
  return {
    id: row.id,
    what: row.what,
    unit: row.unit,
    better: row.better,
    glia: judged.glia,
    samples,
    peers: Object.fromEntries(medians),
    ratios: judged.ratios,
    target: judged.target,
    met: met(judged),
    excludes: row.excludes,
  };
}

async function openRunner(
  name: string,
  contestant: Contestant,
  unit: string,
  sampleMs: number,
): Promise<Runner> {
  const close = async (): Promise<void> => contestant.close?.();
  const { run, value } = contestant;
  if (value !== undefined) return { name, samples: [], sample: async () => value(), close };
  const unitNs = unit in TIME_UNITS ? TIME_UNITS[unit as keyof typeof TIME_UNITS] : undefined;
  if (run === undefined || unitNs === undefined)
    throw new RangeError(`${name} has no run() in a unit of time`);
  const repeats = await findRepeats(run, sampleMs);
  const sample = async (): Promise<number> => (await elapsedNs(run, repeats)) / repeats / unitNs;
  return { name, samples: [], sample, close };
}

/** B2. */
async function findRepeats(run: NonNullable<Contestant["run"]>, sampleMs: number): Promise<number> {
  const wantedNs = sampleMs * NS_PER_MS;
  let repeats = 1;
  for (;;) {
    let elapsed = Math.max(1, await elapsedNs(run, repeats));
    // Once more before it counts: a hiccup of the machine would leave samples of far too few operations.
    if (elapsed >= wantedNs / 2) elapsed = Math.max(1, Math.min(elapsed, await elapsedNs(run, repeats)));
    if (elapsed >= wantedNs / 2 || repeats >= MOST_REPEATS)
      return Math.max(1, Math.round((repeats * wantedNs) / elapsed));
    repeats *= 2;
  }
}

async function elapsedNs(run: NonNullable<Contestant["run"]>, times: number): Promise<number> {
  const start = process.hrtime.bigint();
  await run(times);
  return Number(process.hrtime.bigint() - start);
}
