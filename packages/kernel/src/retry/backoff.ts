/**
 * How long to wait before an attempt: exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture
 * Blog, 2015): a uniformly random time below min(maxMs, baseMs * 2^n), so that clients that failed together do not return together.
 */
import type { Random } from "@glia-os/abi/ports";
import { DURATION_LIMIT_MS } from "../constants.ts";
import { BadOptionError } from "../errors.ts";
import { checkOptions } from "../options.ts";

const ATTEMPTS = 3;
const ATTEMPTS_MOST = 1000;
const BASE_MS = 100;
const MAX_MS = 30_000;
const WORD = 4_294_967_296;

/** When and how often something is tried again. */
export interface RetryOptions {
  /** Attempts in all: 1 to 1000, default 3. */
  readonly attempts?: number;
  /** Upper bound of the first wait in milliseconds, doubled for each further one: more than 0, default 100. */
  readonly baseMs?: number;
  /** Upper bound of every wait in milliseconds: `baseMs` to 9e12, default 30,000. */
  readonly maxMs?: number;
  /** Where the jitter comes from. Default: the random numbers of the task that retries. */
  readonly random?: Random;
  /**
   * Whether an error is worth another attempt. Default {@link isRetryable}. A cancellation or kill is never retried, whatever this says.
   */
  readonly retryable?: (error: unknown) => boolean;
}

/** Checked options, with the defaults filled in. */
export interface RetryPlan {
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  readonly random: Random | undefined;
  readonly retryable: (error: unknown) => boolean;
}

/** Check options. @throws {BadOptionError} */
export function retryPlan(options: RetryOptions): RetryPlan {
  checkOptions("the options of a retry", options);
  const { attempts = ATTEMPTS, baseMs = BASE_MS, maxMs = Math.max(MAX_MS, baseMs), random } = options;
  const retryable = options.retryable ?? isRetryable;
  if (!(Number.isInteger(attempts) && attempts >= 1 && attempts <= ATTEMPTS_MOST))
    throw new BadOptionError("attempts", attempts, `a whole number from 1 to ${ATTEMPTS_MOST}`);
  if (!(typeof baseMs === "number" && baseMs > 0 && baseMs <= DURATION_LIMIT_MS))
    throw new BadOptionError("baseMs", baseMs, `more than 0 and at most ${DURATION_LIMIT_MS}`);
  if (!(typeof maxMs === "number" && maxMs >= baseMs && maxMs <= DURATION_LIMIT_MS))
    throw new BadOptionError("maxMs", maxMs, `from baseMs to ${DURATION_LIMIT_MS}`);
  if (typeof retryable !== "function") throw new BadOptionError("retryable", retryable, "a function");
  return { attempts, baseMs, maxMs, random, retryable };
}

/** The wait after `failures` failed attempts (1 or more); `word` is a random number from 0 to 2^32 - 1. */
export function backoffMs(plan: Pick<RetryPlan, "baseMs" | "maxMs">, failures: number, word: number): number {
  let bound = plan.baseMs;
  for (let i = 1; i < failures && bound < plan.maxMs; i++) bound *= 2;
  return (word / WORD) * Math.min(bound, plan.maxMs);
}

/** Whether an error says of itself that the same call may succeed later: `retryable` is true, as on Glia's errors. */
export function isRetryable(error: unknown): boolean {
  return typeof error === "object" && error !== null && (error as { retryable?: unknown }).retryable === true;
}

/** Whether another attempt is due after this failure. */
export function worthRetrying(plan: RetryPlan, failures: number, error: unknown): boolean {
  if (failures >= plan.attempts || endsTask(error)) return false;
  return plan.retryable(error);
}

/** Cancellations and kills end a task; they are no failures of what it tried. */
function endsTask(error: unknown): boolean {
  const code = typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;
  return code === "kernel.cancelled" || code === "kernel.killed";
}
