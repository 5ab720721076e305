/**
 * How a program's failures are dealt with, and when that stops.
 *
 * RP1. Never more than `intensity` restarts within `periodMs`, whoever restarts the process meanwhile: the journal has the times.
 * RP2. A failure that comes back at the same place with the same error, of the same version of the program, will come back again. After
 *      `sameFailureLimit` times in a row it is not resumed and not begun afresh any more. Errors marked retryable do not count.
 * RP3. A checkpoint, another error, another place, another version and a rollback to before the restart begin the counting anew.
 */
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { Backoff, RestartAnswer } from "@glia-os/kernel/supervision";
import { BadProgramError } from "../errors.ts";
import type { FailurePlace, RestartFacts } from "./restart-facts.ts";

/** A failure of a domain, as who chooses sees it. Plain data. */
export interface DomainFailure {
  readonly domain: string;
  readonly program: string;
  /** What the root task failed with. */
  readonly error: ErrorRecord;
  readonly at: FailurePlace;
  /** How many times in a row it failed there with that error, this time included; 0 for an error that is retryable. */
  readonly times: number;
  /** Restarts within the last period. */
  readonly restarts: number;
  /** Whether `resume` makes the failing call again. Else it goes on from the failure's record, which helps with another program only. */
  readonly mayTryAgain: boolean;
}

/** How a program's failures are dealt with. */
export interface RecoveryOptions {
  /** The choice, or what chooses: it must not wait, and should follow from the failure alone. Default `escalate`: the domain ends. */
  readonly onFailure?: RestartAnswer | ((failure: DomainFailure) => RestartAnswer);
  /** Restarts within `periodMs`: 0 to 100; default 5. */
  readonly intensity?: number;
  /** In milliseconds: 1 to 31 days; default one minute. */
  readonly periodMs?: number;
  /** How often the same failure is taken: 2 to 100 (RP2); default 2. */
  readonly sameFailureLimit?: number;
  /** Wait before restarts, longer after each within the period. Default: up to 100 ms first, 10 s at most. */
  readonly backoff?: Backoff;
}

/** Options with every default filled in. */
export type RecoveryPlan = Required<RecoveryOptions>;

const MOST = 100;
const PERIOD_MOST_MS = 31 * 86_400_000;

/** Check the options of a program. @throws {BadProgramError} */
export function recoveryPlanOf(
  program: string,
  options: RecoveryOptions | undefined,
): RecoveryPlan | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== "object" || options === null)
    throw new BadProgramError(`the recovery of ${program} is no object`);
  const plan: RecoveryPlan = {
    onFailure: "escalate",
    intensity: 5,
    periodMs: 60_000,
    sameFailureLimit: 2,
    backoff: { baseMs: 100, maxMs: 10_000 },
    ...options,
  };
  inRange(`${program}'s intensity`, plan.intensity, 0, MOST);
  inRange(`${program}'s periodMs`, plan.periodMs, 1, PERIOD_MOST_MS);
  inRange(`${program}'s sameFailureLimit`, plan.sameFailureLimit, 2, MOST);
  const { baseMs, maxMs } = plan.backoff ?? {};
  inRange(`${program}'s backoff.baseMs`, baseMs, 1, PERIOD_MOST_MS);
  inRange(`${program}'s backoff.maxMs`, maxMs, baseMs, PERIOD_MOST_MS);
  return plan;
}

function inRange(what: string, value: unknown, least: number, most: number): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw new BadProgramError(`${what} is no whole number from ${least} to ${most}`);
}

/** What is known of a failure when it is counted. */
export interface CountedFailure {
  readonly at: Pick<FailurePlace, "name">;
  readonly error: ErrorRecord;
  readonly version: string;
  readonly generation: number;
}

/** How many times in a row, this time included (RP2, RP3). */
export function timesInARow(failure: CountedFailure, last: RestartFacts | undefined): number {
  const { at, error, version, generation } = failure;
  if (error.retryable) return 0;
  const isSame =
    last !== undefined &&
    last.at.name === at.name &&
    last.generation === generation &&
    last.version === version &&
    last.error.code === error.code &&
    last.error.message === shortened(error.message);
  return isSame ? last.times + 1 : 1;
}

/** The times of restarts within the period before now (RP1). */
export function recentRestarts(
  last: RestartFacts | undefined,
  nowMs: number,
  periodMs: number,
): readonly number[] {
  return (last?.recent ?? []).filter((ms) => ms >= nowMs - periodMs).slice(-MOST);
}

const MESSAGE = 1_000;

/** A message as far as a restart records and compares it. */
export function shortened(message: string): string {
  return message.slice(0, MESSAGE);
}
