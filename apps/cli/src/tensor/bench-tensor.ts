/**
 * `glia bench tensor`: how fast this machine computes with tensors.
 *
 * BT1. Every backend that works here does the same operations; the one that programs get by default is marked.
 * BT2. Ctrl-C ends it between two operations.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { isGliaError } from "@glia-os/abi/errors";
import type { Backend } from "@glia-os/tensor";
import {
  BACKEND_NAMES,
  chooseBackend,
  kernelPeak,
  openBackend,
  threadsBackend,
} from "@glia-os/tensor/backends";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { formatTable } from "../terminal/table.ts";
import { type MeasuredOperation, OPERATIONS, rateOf } from "./measured-operations.ts";

/** Its options. */
export interface BenchTensorOptions {
  readonly backend?: string;
  readonly threads: string;
}

const LIMIT_BYTES = 64 << 20;
/** Rounds of 96 operations: some milliseconds. */
const PEAK_ROUNDS = 100_000;
const PEAK_RUNS = 20;

/** Run it (BT1, BT2). */
export async function benchTensor(options: BenchTensorOptions, context: Context): Promise<ExitCode> {
  const { terminal, interrupt } = context;
  const threads = threadCount(options.threads);
  const names = backendNames(options.backend);
  const choice = chooseBackend();
  const peak = peakRate();
  const rates: Record<string, Record<string, number>> = {};
  const problems: Record<string, string> = {};
  for (const name of names) {
    const measured: Record<string, number> = {};
    for (const operation of OPERATIONS) {
      await nextTurn();
      interrupt.throwIfAborted();
      const rate = await measure(name, threads, operation);
      if (typeof rate === "string") {
        problems[name] = rate;
        break;
      }
      measured[operation.name] = rate;
    }
    if (problems[name] === undefined) rates[name] = measured;
  }
  terminal.record({ chosen: choice.name, peakGflops: peak, threads, rates, problems });
  const shown = Object.keys(rates);
  const head = ["operation", "unit", ...shown.map((name) => (name === choice.name ? `${name} *` : name))];
  const rows = OPERATIONS.map(({ name, unit }) => [
    ...[name, unit],
    ...shown.map((backend) => (rates[backend]?.[name] ?? 0).toPrecision(3)),
  ]);
  const aligns = ["left", "left", ...shown.map(() => "right" as const)] as const;
  for (const line of formatTable(head, rows, aligns)) terminal.line(line);
  terminal.line();
  if (peak !== undefined)
    terminal.line(
      `${peak.toPrecision(3)} GFLOP/s is what one thread reaches with multiply-adds of 128-bit vectors alone.`,
    );
  terminal.line(`* what programs get by default. The column threads has ${threads} threads.`);
  for (const [name, problem] of Object.entries(problems)) terminal.line(`${name}: ${problem}`);
  return EXIT.ok;
}

/** The rate, or why there is none. */
async function measure(
  name: string,
  threads: number,
  operation: MeasuredOperation,
): Promise<number | string> {
  let backend: Backend | undefined;
  try {
    backend =
      name === "threads"
        ? await threadsBackend({ threads, limitBytes: LIMIT_BYTES })
        : openBackend(name, LIMIT_BYTES);
    return rateOf(operation, backend);
  } catch (error) {
    if (isGliaError(error) && error.code === "tensor.bad-backend") return error.message;
    throw error;
  } finally {
    backend?.close?.();
  }
}

function peakRate(): number | undefined {
  try {
    const run = kernelPeak("relaxed");
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < PEAK_RUNS; i++) {
      const begun = performance.now();
      run(PEAK_ROUNDS);
      best = Math.min(best, performance.now() - begun);
    }
    return (96 * PEAK_ROUNDS) / best / 1e6;
  } catch (error) {
    if (isGliaError(error) && error.code === "tensor.bad-backend") return undefined;
    throw error;
  }
}

function backendNames(only: string | undefined): readonly string[] {
  const all = [...BACKEND_NAMES.filter((name) => name !== "fixed"), "threads"];
  if (only === undefined) return all;
  if ([...all, "fixed"].includes(only)) return [only];
  throw new UsageError(`--backend ${only} is none of ${[...BACKEND_NAMES, "threads"].join(", ")}`);
}

function threadCount(text: string): number {
  const threads = Number(text);
  if (!/^\d+$/.test(text) || threads < 2 || threads > 16)
    throw new UsageError(`--threads ${text} is no whole number from 2 to 16`);
  return threads;
}
