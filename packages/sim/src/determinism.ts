/**
 * Runs every seed twice and compares: a program that is not a function of its seed cannot be replayed, so this is a failure in itself.
 *
 * DE1. The verdict is by the trace hash, which covers everything; the events kept only serve to name the first difference.
 */
import type { Program } from "@glia-os/kernel";
import { KEPT_EVENTS } from "./limits.ts";
import { type SimulateOptions, type Simulation, simulate } from "./simulate.ts";
import { eventLine, type TraceEvent } from "./trace-event.ts";
import type { Scenario } from "./world.ts";

/** Where two runs of one seed parted. */
export interface TraceDifference {
  readonly seed: number | string;
  /** The number of the first event that differs; undefined when it lies beyond those that are kept. */
  readonly step: number | undefined;
  /** The path of the task it is about, in the first run that has the event. */
  readonly task: string;
  /** The syscall, or the change of state. */
  readonly what: string;
  readonly first: TraceEvent | undefined;
  readonly second: TraceEvent | undefined;
  /** One line for people. */
  readonly text: string;
}

/** What comparing found. */
export interface DeterminismReport {
  /** Seeds compared, up to and with the one that differed. */
  readonly seeds: number;
  readonly deterministic: boolean;
  readonly difference: TraceDifference | undefined;
}

/** Run each seed twice; stop at the first that gives two traces. @throws what `simulate` throws. */
export function checkDeterministic(
  seeds: Iterable<number | string>,
  scenario: Program | Scenario,
  options: SimulateOptions = {},
): DeterminismReport {
  let compared = 0;
  for (const seed of seeds) {
    compared++;
    const first = simulate<unknown>(seed, scenario, { ...options, keepEvents: KEPT_EVENTS });
    const second = simulate<unknown>(seed, scenario, { ...options, keepEvents: KEPT_EVENTS });
    const difference = traceDifference(first, second);
    if (difference !== undefined) return { seeds: compared, deterministic: false, difference };
  }
  return { seeds: compared, deterministic: true, difference: undefined };
}

/** Where two runs of one seed parted, as far as they kept their events; undefined when their traces are the same (DE1). */
export function traceDifference(a: Simulation, b: Simulation): TraceDifference | undefined {
  if (a.traceHash === b.traceHash) return undefined;
  const { seed } = a;
  const most = Math.max(a.events.length, b.events.length);
  for (let i = 0; i < most; i++) {
    const [first, second] = [a.events[i], b.events[i]];
    if (sameEvent(first, second)) continue;
    const { task, what, step } = (first ?? second)!;
    const text = `seed ${seed}, step ${step}, task ${task}: first ${eventLine(first)}, then ${eventLine(second)}`;
    return { seed, step, task, what, first, second, text };
  }
  const text = `seed ${seed}: the traces part after the first ${most} events`;
  return { seed, step: undefined, task: "", what: "", first: undefined, second: undefined, text };
}

function sameEvent(a: TraceEvent | undefined, b: TraceEvent | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.atMs === b.atMs &&
    a.kind === b.kind &&
    a.task === b.task &&
    a.what === b.what &&
    a.detail === b.detail &&
    Object.is(a.argument, b.argument)
  );
}
