/**
 * A time limit for a part of a program that makes many calls.
 *
 * D1. The part runs as a child task. When the time is over it is cancelled, and killed when it still lives after the grace time; then
 *     the caller gets {@link DeadlineExceededError}, whatever the child came to in the meantime.
 * D2. However the caller leaves the wait, the child does not outlive it. So an outer deadline bounds an inner one.
 */
import { checkDuration } from "../duration.ts";
import { TaskCancelledError, TaskKilledError } from "../errors.ts";
import type { Routine } from "../operation.ts";
import { checkOptions } from "../options.ts";
import type { Program, SpawnOptions, Sys } from "../sys.ts";
import type { Exit, TaskId } from "../task.ts";
import { after, endOf } from "../wait.ts";
import { DeadlineExceededError } from "./errors.ts";

const GRACE_MS = 1000;

/** How work under a deadline is run. */
export interface DeadlineOptions extends SpawnOptions {
  /** Time to clean up after the deadline, in milliseconds: default 1000. The caller waits for it. */
  readonly graceMs?: number;
}

/**
 * Run a program as a child and wait for its result, at most `durationMs`.
 * @throws {DeadlineExceededError} {BadDurationError}, what `spawn` refuses, and what the program throws.
 */
export function* withDeadline<Result>(
  sys: Sys,
  durationMs: number,
  program: Program<Result>,
  options: DeadlineOptions = {},
): Routine<Result> {
  checkOptions("the options of a deadline", options);
  const { graceMs = GRACE_MS } = options;
  checkDuration(durationMs, "a deadline");
  checkDuration(graceMs, "a grace time");
  const child = sys.spawn(program, options);
  let lives = true;
  try {
    const [first, exit] = yield* sys.select([endOf(child), after(durationMs)]);
    if (first === 0) {
      lives = false;
      return resultOf(child, exit as Exit<Result>);
    }
    sys.cancel(child, "deadline");
    const [second] = yield* sys.select([endOf(child), after(graceMs)]);
    lives = second !== 0;
    throw new DeadlineExceededError(options.name ?? "the work", durationMs);
  } finally {
    if (lives) endChild(sys, child);
  }
}

function resultOf<Result>(child: TaskId, exit: Exit<Result>): Result {
  if (exit.kind === "ok") return exit.value;
  if (exit.kind === "failed") throw exit.error;
  throw exit.kind === "killed" ? new TaskKilledError(child) : new TaskCancelledError(child, exit.reason);
}

/** End a child that may have ended already, and may be forgotten. */
export function endChild(sys: Sys, child: TaskId): void {
  try {
    sys.kill(child, "its caller left");
  } catch (error) {
    if ((error as { code?: string }).code !== "kernel.unknown-task") throw error;
  }
}
