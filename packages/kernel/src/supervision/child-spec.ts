/**
 * What a supervisor is told about itself and its children, and what goes together.
 *
 * SP1. Every default is OTP's: one_for_one, 1 restart in 5 s, permanent workers with 5 s to end, supervisors with all the time they need.
 */

import { DURATION_LIMIT_MS } from "../constants.ts";
import type { Handle } from "../handle.ts";
import type { Routine } from "../operation.ts";
import { checkOptions } from "../options.ts";
import { shown } from "../shown.ts";
import type { Program, SpawnOptions, Sys } from "../sys.ts";
import type { TaskId } from "../task.ts";
import type { Backoff } from "./backoff.ts";
import { BadChildSpecError } from "./errors.ts";
import type { ChildFailure, RestartAnswer, RestartChoice } from "./restart-choice.ts";

/** Who else is restarted with a child that failed. */
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one" | "simple_one_for_one";

/** When a child is started again: always, after an abnormal end, never. */
export type RestartKind = "permanent" | "transient" | "temporary";

/** How a child is ended: killed at once, cancelled and killed after so many milliseconds, or cancelled and waited for. */
export type ShutdownTime = "brutal_kill" | "infinity" | number;

/** When a supervisor ends by itself because of its significant children. */
export type AutoShutdown = "never" | "any_significant" | "all_significant";

/** What a start gives: the child, with a handle to talk to it; or nothing, when there is nothing to run. */
export type Started = TaskId | { readonly task: TaskId; readonly handle?: Handle } | undefined;

/** One child. */
export interface ChildSpec {
  /** Names the child within its supervisor: 1 to 128 characters. */
  readonly id: string;
  /** Runs in the supervisor, which waits for it. Spawns one child of the supervisor; what it throws is why the start failed. */
  start(sys: Sys, ...args: readonly unknown[]): Routine<Started>;
  /** Default `permanent`. */
  readonly restart?: RestartKind;
  /**
   * Chooses how the child goes on when it failed and would be started again; the intensity holds for every choice but `escalate`, which
   * ends the supervisor. Must not wait. What it throws escalates. Default: `fresh`, which is `start`.
   */
  onFailure?(failure: ChildFailure): RestartAnswer;
  /** Starts the child again as {@link onFailure} chose. A child without it can only be started afresh. */
  startAgain?(sys: Sys, choice: RestartChoice, ...args: readonly unknown[]): Routine<Started>;
  /** Default 5000 ms, for a supervisor `infinity`. */
  readonly shutdown?: ShutdownTime;
  /** Default `worker`. */
  readonly type?: "worker" | "supervisor";
  /** Whether its own end counts for `autoShutdown`. Not for permanent children. Default false. */
  readonly significant?: boolean;
}

/** A supervisor. */
export interface SupervisorOptions {
  /** In the order of their start; for `simple_one_for_one` the one template. At most `childLimit`. */
  readonly children: readonly ChildSpec[];
  /** Default `one_for_one`. */
  readonly strategy?: Strategy;
  /** Restarts allowed within `periodMs`: 0 to 100,000; default 1. One more ends the supervisor. */
  readonly intensity?: number;
  /** Default 5000 ms. */
  readonly periodMs?: number;
  /**
   * Whose restarts are counted. `supervisor` (default, OTP): all children's together. `child`: each child's own; one that exceeds it is
   * given up and the others go on. Only for one_for_one and simple_one_for_one.
   */
  readonly intensityPer?: "supervisor" | "child";
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown;
  /** Wait before restarts, longer after each failure. Default: restart at once, as OTP does. */
  readonly backoff?: Backoff;
  /**
   * A child that fails this many times in a row with the same error after the same number of syscalls is not started again: 2 to
   * 100,000, or Infinity to keep trying as OTP does. Errors marked retryable do not count. Default 5.
   */
  readonly sameFailureLimit?: number;
  /** Children at once: 1 to 60,000; default 10,000. */
  readonly childLimit?: number;
}

/** Options with every default filled in. */
export type SupervisorPlan = Required<Omit<SupervisorOptions, "backoff">> & {
  readonly backoff: Backoff | null;
};

const NAME_LENGTH = 128;
const STRATEGIES: readonly string[] = ["one_for_one", "one_for_all", "rest_for_one", "simple_one_for_one"];
const RESTARTS: readonly string[] = ["permanent", "transient", "temporary"];

/** Check options and fill in the defaults. @throws {BadChildSpecError} */
export function planOf(options: SupervisorOptions): SupervisorPlan {
  checkOptions("the options of a supervisor", options);
  const plan: SupervisorPlan = {
    strategy: "one_for_one",
    intensity: 1,
    periodMs: 5000,
    intensityPer: "supervisor",
    autoShutdown: "never",
    sameFailureLimit: 5,
    childLimit: 10_000,
    ...options,
    backoff: options.backoff ?? null,
  };
  oneOf("strategy", plan.strategy, STRATEGIES);
  oneOf("intensityPer", plan.intensityPer, ["supervisor", "child"]);
  oneOf("autoShutdown", plan.autoShutdown, ["never", "any_significant", "all_significant"]);
  inRange("intensity", plan.intensity, 0, 100_000);
  inRange("childLimit", plan.childLimit, 1, 60_000);
  if (plan.sameFailureLimit !== Number.POSITIVE_INFINITY)
    inRange("sameFailureLimit", plan.sameFailureLimit, 2, 100_000);
  duration("periodMs", plan.periodMs, 1);
  if (plan.backoff !== null) {
    duration("backoff.baseMs", plan.backoff.baseMs, 1);
    duration("backoff.maxMs", plan.backoff.maxMs, plan.backoff.baseMs);
  }
  if (plan.intensityPer === "child" && !plan.strategy.endsWith("one_for_one"))
    throw new BadChildSpecError(`intensityPer child does not go with ${plan.strategy}`);
  checkChildren(plan);
  return plan;
}

function checkChildren(plan: SupervisorPlan): void {
  const { children, strategy, childLimit } = plan;
  if (!Array.isArray(children) || children.length > childLimit)
    throw new BadChildSpecError(`children is no list of at most ${childLimit}`);
  if (strategy === "simple_one_for_one" && children.length !== 1)
    throw new BadChildSpecError(`simple_one_for_one takes one template, not ${children.length}`);
  const ids = new Set<string>();
  for (const spec of children) {
    checkSpec(spec, plan);
    if (ids.has(spec.id)) throw new BadChildSpecError(`two children are called ${spec.id}`);
    ids.add(spec.id);
  }
}

/** Check one child. @throws {BadChildSpecError} */
export function checkSpec(spec: ChildSpec, plan: SupervisorPlan): void {
  if (typeof spec !== "object" || spec === null) throw new BadChildSpecError("a child is no specification");
  const { id, restart = "permanent", shutdown = 0, type = "worker", significant = false } = spec;
  if (typeof id !== "string" || id.length === 0 || id.length > NAME_LENGTH)
    throw new BadChildSpecError(`a child's id is not text of 1 to ${NAME_LENGTH} characters`);
  if (typeof spec.start !== "function") throw new BadChildSpecError(`child ${id} has no start`);
  for (const each of ["onFailure", "startAgain"] as const)
    if (spec[each] !== undefined && typeof spec[each] !== "function")
      throw new BadChildSpecError(`${each} of ${id} is no function`);
  oneOf(`restart of ${id}`, restart, RESTARTS);
  oneOf(`type of ${id}`, type, ["worker", "supervisor"]);
  if (shutdown !== "brutal_kill" && shutdown !== "infinity") duration(`shutdown of ${id}`, shutdown, 0);
  if (significant && restart === "permanent")
    throw new BadChildSpecError(`child ${id} is permanent and cannot be significant`);
  if (significant && plan.autoShutdown === "never")
    throw new BadChildSpecError(`child ${id} is significant and autoShutdown is never`);
}

function oneOf(what: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value))
    throw new BadChildSpecError(`${what} is ${shown(value)}, not one of ${allowed.join(", ")}`);
}

function inRange(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new BadChildSpecError(`${what} is ${shown(value)}, not a whole number from ${least} to ${most}`);
}

function duration(what: string, value: number, least: number): void {
  if (typeof value !== "number" || !(value >= least && value <= DURATION_LIMIT_MS))
    throw new BadChildSpecError(`${what} is ${shown(value)} ms, not from ${least} to ${DURATION_LIMIT_MS}`);
}

/** How a child spec differs from the defaults. */
export type ChildOptions = Omit<Partial<ChildSpec>, "id" | "start">;

/** A plain program as a child. Its start is done when it is spawned. */
export function taskChild(
  id: string,
  program: Program,
  options: ChildOptions & Pick<SpawnOptions, "priority"> = {},
): ChildSpec {
  const { priority, ...rest } = options;
  const spawn: SpawnOptions = { name: id, counted: true, ...(priority === undefined ? {} : { priority }) };
  return {
    id,
    *start(sys) {
      return sys.spawn(program, spawn);
    },
    ...rest,
  };
}
