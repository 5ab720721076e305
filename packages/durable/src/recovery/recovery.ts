/**
 * Restarts the domains of a process by the policies of their programs, and on request.
 *
 * RV5. A failure is decided about once: the decision is durable before anything follows from it. A process that ends before it was
 *      finds the failure in the journal and decides then.
 * RV6. A policy that throws, answers what is no choice, or chooses what cannot be, escalates with that refusal.
 */
import { type ErrorRecord, toErrorRecord } from "@glia-os/abi/errors";
import type { Meter, Timers } from "@glia-os/abi/ports";
import {
  backoffMs,
  checkedChoice,
  type RestartAnswer,
  type RestartChoice,
} from "@glia-os/kernel/supervision";
import type { Domain } from "../domain.ts";
import { DomainLostError } from "../errors.ts";
import type { Replay } from "../replay.ts";
import { failureOf } from "./failed-domain.ts";
import { NotFailedError, SameFailureError, TooManyRestartsError } from "./recovery-errors.ts";
import { type DomainFailure, type RecoveryPlan, recentRestarts } from "./recovery-plan.ts";
import {
  type Counting,
  type EndedDomain,
  endedDomain,
  type PreparedRestart,
  preparedRestart,
  type RestartWorld,
} from "./restart-domain.ts";
import type { RestartFacts } from "./restart-facts.ts";
import { WatchedDomain } from "./watched-domain.ts";

/** What was decided about a failure. */
export interface RestartEvent
  extends Pick<RestartFacts, "choice" | "at" | "error" | "times" | "refusal" | "by"> {
  readonly domain: string;
  readonly program: string;
}

/** What restarts need of their surroundings. */
export interface RecoveryWorld extends RestartWorld {
  readonly timers: Timers;
  readonly meter?: Meter | undefined;
  /** A random number below 2^32. */
  draw(): number;
  /** The policy of a program; undefined for one without. */
  planOf(program: string): RecoveryPlan | undefined;
  /** Take a domain up again from its journal. */
  reopen(domain: string): Promise<Domain>;
  /** Hears of a decision before it is recorded; what it throws keeps the domain as it is. */
  onRestart?(event: RestartEvent): Promise<void> | void;
}

/** The restarts of a process. */
export class Recovery {
  readonly #world: RecoveryWorld;
  readonly #watched = new Map<string, WatchedDomain>();

  constructor(world: RecoveryWorld) {
    this.#world = world;
  }

  /**
   * Restart a domain by the policy of its program, if it has one. Once per domain: its later incarnations belong to it. `isUndecided`: its
   * journal ends with a failure that nobody decided about.
   */
  watch(domain: Domain, program: string, isUndecided = false): void {
    if (this.#world.planOf(program) === undefined || this.#watched.has(domain.name)) return;
    const restart = (failed: Domain, error: unknown): Promise<Domain> => this.#goOn(failed, error);
    this.#watched.set(domain.name, new WatchedDomain(domain, restart, isUndecided));
  }

  /** Take up a domain that has ended. Returns whether it is to be decided about. */
  watchEnded(domain: Domain, { ended, restart, beginning }: Replay): boolean {
    if (ended === undefined) return false;
    const program = beginning?.program ?? "";
    const isFailure = failureOf(ended) !== undefined && this.#world.planOf(program) !== undefined;
    const isUndecided = isFailure && restart?.choice !== "escalate";
    const error = restart?.choice === "escalate" ? restart.refusal : undefined;
    domain.remember(error === undefined ? ended : { failed: true, error });
    if (isUndecided) this.watch(domain, program, true);
    return isUndecided;
  }

  /** A domain that has a policy. */
  watched(name: string): WatchedDomain | undefined {
    return this.#watched.get(name);
  }

  /** Restart a domain no more, and know nothing of it. */
  async leave(name: string): Promise<void> {
    const watched = this.#watched.get(name);
    this.#watched.delete(name);
    await watched?.stop();
  }

  /** Restart none of them any more. */
  async stop(): Promise<void> {
    await Promise.all([...this.#watched.values()].map((watched) => watched.stop()));
  }

  /**
   * Record that a domain which ended goes on; without counting whether it may, because somebody asks for it. Asking again as `by` changes
   * nothing. `fresh` also for a domain that ended as it should. Returns whether it goes on by this.
   */
  async restart(name: string, answer: RestartAnswer, by: string): Promise<boolean> {
    const choice = checkedChoice(answer);
    const domain = await endedDomain(this.#world, name);
    const { end, error, program } = domain;
    if (by !== "" && end.last?.by === by) return false;
    if (error === undefined && choice.choice !== "fresh")
      throw new NotFailedError(name, "did not fail: it can begin afresh");
    const periodMs = this.#world.planOf(program)?.periodMs ?? MINUTE_MS;
    const counting: Counting = { recent: recentRestarts(end.last, this.#world.nowMs(), periodMs), by };
    const restart = await preparedRestart(this.#world, domain, choice, counting);
    await this.#record(domain, { choice, restart }, counting);
    return choice.choice !== "escalate";
  }

  /** What a domain that failed and stays so ended with, where, and how many times in a row. O(records). */
  async failure(name: string): Promise<Pick<DomainFailure, "error" | "at" | "times"> | undefined> {
    const { error, at, times } = await endedDomain(this.#world, name);
    return error === undefined ? undefined : { error, at, times };
  }

  /** Decide about a failure (RV5). */
  async #goOn({ name }: Domain, thrown: unknown): Promise<Domain> {
    const domain = await endedDomain(this.#world, name);
    const { end, error, program } = domain;
    const plan = this.#world.planOf(program);
    if (error === undefined || plan === undefined) throw thrown;
    const recent = recentRestarts(end.last, this.#world.nowMs(), plan.periodMs);
    const choice = await this.#decided(domain, error, plan, recent);
    if (choice instanceof Error) throw choice;
    if (choice.choice === "escalate") throw thrown;
    const watched = this.#watched.get(name);
    await this.#pause(plan, recent.length + 1, watched?.stopping);
    if (watched?.stopped === true) throw new DomainLostError(name, "it was stopped here");
    return await this.#world.reopen(name);
  }

  /** The choice, recorded; or why there is none, recorded too. */
  async #decided(
    domain: EndedDomain,
    error: ErrorRecord,
    plan: RecoveryPlan,
    recent: readonly number[],
  ): Promise<RestartChoice | Error> {
    const { name, at, times, program, mayTryAgain } = domain;
    const restarts = recent.length;
    const failure: DomainFailure = { domain: name, program, error, at, times, restarts, mayTryAgain };
    const counting: Counting = { recent, by: "" };
    const prepared = await this.#prepared(domain, plan, failure, counting).catch(toRefusal);
    if (!(prepared instanceof Error)) {
      await this.#record(domain, prepared, counting);
      return prepared.choice;
    }
    const refused: Counting = { ...counting, refusal: toErrorRecord(prepared) };
    const choice: RestartChoice = { choice: "escalate" };
    const restart = await preparedRestart(this.#world, domain, choice, refused);
    await this.#record(domain, { choice, restart }, refused);
    return prepared;
  }

  /** The choice, ready to be recorded. @throws what is wrong with it (RV6) */
  async #prepared(
    domain: EndedDomain,
    plan: RecoveryPlan,
    failure: DomainFailure,
    counting: Counting,
  ): Promise<Prepared> {
    const { onFailure } = plan;
    const choice = checkedChoice(typeof onFailure === "function" ? onFailure(failure) : onFailure);
    const limit = limitOf(plan, failure, choice);
    if (limit !== undefined) throw limit;
    return { choice, restart: await preparedRestart(this.#world, domain, choice, counting) };
  }

  /** Tell of a decision, and record it. */
  async #record(
    domain: EndedDomain,
    { choice: { choice }, restart }: Prepared,
    { by, refusal }: Counting,
  ): Promise<void> {
    const { name, program, at, times } = domain;
    const { code = "", message = "", retryable = false } = domain.error ?? {};
    const error = { code, message, retryable };
    await this.#world.onRestart?.({ domain: name, program, choice, at, error, times, refusal, by });
    await restart();
    this.#world.meter?.count("glia_domain_restarts_total", 1, { choice });
  }

  /** Wait before a restart, longer after each of the period; not longer than until it is stopped. */
  async #pause({ backoff }: RecoveryPlan, failures: number, stopping?: Promise<void>): Promise<void> {
    const passed = Promise.withResolvers<void>();
    const ms = backoffMs(backoff, failures, this.#world.draw());
    const timer = this.#world.timers.schedule(ms, () => passed.resolve());
    await Promise.race([passed.promise, stopping ?? passed.promise]);
    timer.cancel();
  }
}

const MINUTE_MS = 60_000;

interface Prepared {
  readonly choice: RestartChoice;
  readonly restart: PreparedRestart;
}

function toRefusal(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new RangeError(String(thrown));
}

/** Why a choice is not followed. */
function limitOf(plan: RecoveryPlan, failure: DomainFailure, { choice }: RestartChoice): Error | undefined {
  const { domain, times, restarts } = failure;
  if (choice === "escalate") return undefined;
  if (choice !== "replace" && times >= plan.sameFailureLimit) return new SameFailureError(domain, failure);
  if (restarts >= plan.intensity) return new TooManyRestartsError(domain, failure, restarts, plan.periodMs);
  return undefined;
}
