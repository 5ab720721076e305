/**
 * Trying again, inside the task that tries.
 *
 * R1. An attempt follows another only after an error that is worth it, and never after a cancellation or kill.
 * R2. Between attempts the task sleeps; cancelling or killing it there ends it as anywhere.
 * R3. What the last attempt threw is what `retry` throws, unchanged.
 */
import type { Routine } from "../operation.ts";
import { routineOf } from "../options.ts";
import type { Sys } from "../sys.ts";
import { backoffMs, type RetryOptions, retryPlan, worthRetrying } from "./backoff.ts";

/**
 * Run a part of a program until it succeeds: `yield* retry(sys, { attempts: 5 }, function* (n) { ... })`. `attempt` gets the number of
 * the attempt, from 1. @throws {BadOptionError} before the first attempt; else what the last attempt threw (R3).
 */
export function* retry<Result>(
  sys: Sys,
  options: RetryOptions,
  attempt: (number: number) => Routine<Result>,
): Routine<Result> {
  const plan = retryPlan(options);
  for (let number = 1; ; number++) {
    try {
      return yield* routineOf(attempt, number);
    } catch (error) {
      if (!worthRetrying(plan, number, error)) throw error;
    }
    const word = plan.random === undefined ? wordOf(sys.random(4)) : plan.random.uint32();
    yield* sys.sleep(backoffMs(plan, number, word));
  }
}

function wordOf(bytes: Uint8Array): number {
  return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
}
