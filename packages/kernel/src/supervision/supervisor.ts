/**
 * A supervisor: a task that starts, watches, restarts and ends its children, with the semantics of OTP's supervisor
 * (docs/supervision.md has the table).
 *
 * SU1. Children start in order, each after the one before is ready; they end in reverse order, each after the one behind it ended.
 * SU2. Never more restarts than the intensity within a period: one more and the supervisor ends its children and itself, or gives up
 *      that child where each child's are counted.
 * SU3. A child lives no longer than its supervisor: it is linked, so it ends also when the supervisor is killed.
 * SU4. Restarts are due at a time, and the supervisor answers while it waits for it.
 * SU5. A child whose specification chooses is asked about once per failure, before it is counted; escalating ends the supervisor.
 */
import { isGliaError } from "@glia-os/abi/errors";
import { type Call, isCall } from "../call.ts";
import { TaskCancelledError, TaskKilledError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import type { Routine } from "../operation.ts";
import { shown } from "../shown.ts";
import type { Program, Sys } from "../sys.ts";
import type { TaskId } from "../task.ts";
import { after, receiveFrom, type Wait } from "../wait.ts";
import { backoffMs } from "./backoff.ts";
import { Child } from "./child.ts";
import { ChildList } from "./child-list.ts";
import {
  type ChildSpec,
  checkSpec,
  planOf,
  type Started,
  type SupervisorOptions,
  type SupervisorPlan,
} from "./child-spec.ts";
import {
  BadChildSpecError,
  BadRestartChoiceError,
  ChildStateError,
  ExitError,
  NoHandlerError,
  RepeatedFailureError,
  ServerEndedError,
  StartFailedError,
  TooManyChildrenError,
} from "./errors.ts";
import { errorReason, isExpected } from "./exit-reason.ts";
import { type ExitNotice, isExitNotice } from "./notice.ts";
import { checkedChoice } from "./restart-choice.ts";
import { RestartWindow } from "./restart-window.ts";
import { replyTo, STARTED } from "./server.ts";
import { type StartedChild, SupervisorRequest } from "./supervisor-request.ts";

/** A supervisor as a program; its one handle, if it gets one, takes requests. @throws {BadChildSpecError} */
export function supervisor(options: SupervisorOptions, parent?: TaskId): Program<void> {
  const plan = planOf(options);
  return function* (sys, requests?: Handle) {
    yield* new Supervising(sys, plan, parent, requests).run();
  };
}

class Supervising {
  readonly #sys: Sys;
  readonly #plan: SupervisorPlan;
  readonly #parent: TaskId | undefined;
  readonly #requests: Handle | undefined;
  readonly #exits: Handle<ExitNotice>;
  readonly #waits: readonly Wait[];
  readonly #children: ChildList;
  readonly #window: RestartWindow;
  /** Children whose end was told and not dealt with. */
  readonly #ended: Child[] = [];
  readonly #restarting: Set<Child> = new Set();
  /** Why this supervisor has to end, when it learned so in the middle of something. */
  #ending: unknown = undefined;

  constructor(sys: Sys, plan: SupervisorPlan, parent: TaskId | undefined, requests: Handle | undefined) {
    this.#sys = sys;
    this.#plan = plan;
    this.#parent = parent;
    this.#requests = requests;
    this.#exits = sys.mailbox<ExitNotice>();
    this.#waits =
      requests === undefined ? [receiveFrom(this.#exits)] : [receiveFrom(this.#exits), receiveFrom(requests)];
    this.#children = new ChildList(plan);
    this.#window = new RestartWindow(plan.intensity, plan.periodMs);
  }

  *run(): Routine<void> {
    const sys = this.#sys;
    sys.trapExits(this.#exits);
    if (this.#requests !== undefined) sys.serve(this.#requests);
    let cause: unknown;
    try {
      yield* this.#startAll();
      yield* this.#supervise();
    } catch (error) {
      if (error instanceof TaskKilledError) throw error;
      cause = error;
    }
    yield* this.#stopAll();
    throw cause;
  }

  // Starting

  *#startAll(): Routine<void> {
    if (this.#children.simple) return;
    for (const spec of this.#plan.children) {
      const child = new Child(spec, [], this.#plan);
      this.#children.add(child);
      try {
        yield* this.#start(child);
      } catch (error) {
        if (error instanceof StartFailedError) throw new ExitError({ shutdown: error });
        throw error;
      }
      if (child.task === undefined && child.restart === "temporary") this.#children.remove(child);
    }
  }

  /** Start one child and wait until it is ready. @throws {StartFailedError} */
  *#start(child: Child): Routine<void> {
    const sys = this.#sys;
    child.startedMs = sys.monotonic();
    try {
      const started = yield* this.#begun(child);
      if (started === undefined) return;
      const { task, handle } = typeof started === "object" ? started : { task: started, handle: undefined };
      if (this.#children.ofTask(task) !== undefined)
        throw new ChildStateError(child.spec.id, "another child's task", "started");
      sys.link(task);
      child.handle = handle;
      child.choice = undefined;
      this.#children.runs(child, task);
    } catch (error) {
      if (this.#mustEnd(error)) throw error;
      const reason = error instanceof StartFailedError ? error.reason : errorReason(error);
      throw new StartFailedError(`child ${child.spec.id}`, reason);
    }
  }

  /** The start of a child, or the one that was chosen for it. */
  #begun(child: Child): Routine<Started> {
    const { spec, choice, args } = child;
    return choice === undefined || spec.startAgain === undefined
      ? spec.start(this.#sys, ...args)
      : spec.startAgain(this.#sys, choice, ...args);
  }

  /** Whether an error ends this supervisor itself. */
  #mustEnd(error: unknown): boolean {
    return (
      error instanceof TaskKilledError || (error instanceof TaskCancelledError && this.#sys.cancelRequested)
    );
  }

  // Watching

  *#supervise(): Routine<never> {
    for (;;) {
      if (this.#ending !== undefined) throw this.#ending;
      const uncleared = [...this.#restarting].find(({ cleared }) => !cleared);
      if (uncleared !== undefined) {
        yield* this.#clear(uncleared);
        continue;
      }
      const due = this.#nextDue();
      const leftMs = due === undefined ? undefined : due.dueMs - this.#sys.monotonic();
      if (due !== undefined && leftMs! <= 0) {
        // After a start that failed others get their turn, as after any other message.
        if (!(yield* this.#restart(due))) yield* this.#next(0);
        continue;
      }
      const ended = this.#ended.shift();
      if (ended === undefined) yield* this.#next(leftMs);
      else if (ended.ended !== undefined) this.#dealWith(ended, ended.ended);
    }
  }

  /** Take the next event: the end of a child, a request, or nothing within a time. */
  *#next(limitMs: number | undefined): Routine<void> {
    const waits = limitMs === undefined ? this.#waits : [...this.#waits, after(limitMs)];
    const [, event] = yield* this.#sys.select(waits);
    if (isExitNotice(event)) this.#note(event);
    else if (isCall(event)) yield* this.#answer(event);
    else if (event !== undefined) this.#sys.log("warn", "a supervisor dropped a message that is no request");
  }

  #note(notice: ExitNotice): void {
    if (notice.from === this.#parent) this.#ending ??= new ExitError(notice.reason);
    const child = this.#children.ofTask(notice.from);
    if (child === undefined || child.ended !== undefined || notice.exit === undefined) return;
    child.ended = notice;
    this.#ended.push(child);
  }

  /** A child ended by itself. */
  #dealWith(child: Child, { reason, syscalls }: ExitNotice): void {
    const expected = isExpected(reason);
    if (!expected || child.restart === "permanent") this.#report("a child ended", child, reason);
    this.#rest(child);
    if (child.restart === "permanent" || (child.restart === "transient" && !expected)) {
      this.#failed(child, reason, syscalls, true);
      return;
    }
    if (child.restart === "temporary" || this.#children.simple) this.#children.remove(child);
    this.#considerShutdown(child);
  }

  /** A child is to be started again, unless that is too often or of no use (SU2). */
  #failed(child: Child, reason: unknown, syscalls: number | undefined, choose = false): void {
    const { periodMs, sameFailureLimit, backoff } = this.#plan;
    const nowMs = this.#sys.monotonic();
    child.failures = nowMs - child.startedMs >= periodMs ? 1 : child.failures + 1;
    child.streak.add(reason, syscalls);
    const { times } = child.streak;
    if (choose) this.#choose(child, reason);
    if (times >= sameFailureLimit) {
      const repeated = new RepeatedFailureError(child.spec.id, times, child.streak.syscalls, reason);
      this.#giveUp(child, { shutdown: repeated });
    } else if (!(child.window ?? this.#window).admit(nowMs)) this.#giveUp(child, "shutdown");
    else {
      child.state = "restarting";
      child.cleared = false;
      child.dueMs = nowMs + (backoff === null ? 0 : backoffMs(backoff, child.failures, this.#draw()));
      this.#restarting.add(child);
    }
  }

  /** Ask how a child goes on. @throws {ExitError} when it does not, and with what the answer was refused */
  #choose(child: Child, reason: unknown): void {
    const { spec, streak, failures } = child;
    if (isExpected(reason)) child.choice = { choice: "fresh" };
    if (spec.onFailure === undefined || isExpected(reason)) return;
    let escalated: unknown = reason;
    try {
      const failure = { child: spec.id, reason, times: streak.times, failures };
      const choice = checkedChoice(spec.onFailure(failure));
      if (choice.choice !== "escalate") {
        if (spec.startAgain === undefined && choice.choice !== "fresh")
          throw new BadRestartChoiceError(`child ${spec.id} has no journal to ${choice.choice} from`);
        child.choice = choice;
        return;
      }
    } catch (error) {
      escalated = error;
    }
    this.#report("a child is not started again: its failure is escalated", child, escalated);
    throw new ExitError({ shutdown: escalated });
  }

  #giveUp(child: Child, reason: unknown): void {
    const why = typeof reason === "object" ? "it fails the same way each time" : "it failed too often";
    this.#report(`a child is not started again: ${why}`, child, reason);
    if (child.window === null) throw new ExitError(reason);
    if (this.#children.simple) this.#children.remove(child);
    this.#considerShutdown(child);
  }

  #considerShutdown(child: Child): void {
    const { autoShutdown } = this.#plan;
    if (autoShutdown === "never" || child.spec.significant !== true) return;
    const others = this.#children.inOrder();
    if (autoShutdown === "all_significant" && others.some(isActiveSignificant)) return;
    throw new ExitError("shutdown");
  }

  // Restarting

  #nextDue(): Child | undefined {
    let first: Child | undefined;
    for (const child of this.#restarting) if (first === undefined || child.dueMs < first.dueMs) first = child;
    return first;
  }

  /** End whom the strategy restarts with a child. They do not run while it waits for its restart. */
  *#clear(child: Child): Routine<void> {
    child.cleared = true;
    for (const each of this.#children.groupOf(child).toReversed())
      if (each !== child) yield* this.#stop(each);
  }

  /** Restart a child and whom its strategy names with it. Returns false when a start failed; that is counted. */
  *#restart(child: Child): Routine<boolean> {
    yield* this.#clear(child);
    if (this.#ending !== undefined) return true;
    this.#restarting.delete(child);
    child.state = "stopped";
    for (const each of this.#children.groupOf(child)) {
      try {
        yield* this.#start(each);
      } catch (error) {
        if (!(error instanceof StartFailedError)) throw error;
        this.#report("a child did not start again", each, error.reason);
        this.#failed(each, error.reason, 0);
        return false;
      }
    }
    return true;
  }

  #draw(): number {
    const bytes = this.#sys.random(4);
    return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
  }

  // Stopping

  /** End one child the way its specification says, and wait for it. A temporary one is forgotten. */
  *#stop(child: Child): Routine<void> {
    this.#restarting.delete(child);
    child.choice = undefined;
    this.#drain();
    if (child.task !== undefined && child.ended === undefined) {
      this.#ask(child);
      const graceMs = child.shutdown;
      const deadlineMs =
        typeof graceMs === "number" ? this.#sys.monotonic() + graceMs : Number.POSITIVE_INFINITY;
      if (!(yield* this.#awaitEnd(child, deadlineMs))) {
        this.#sys.kill(child.task);
        yield* this.#awaitEnd(child, Number.POSITIVE_INFINITY);
      }
    }
    this.#rest(child);
    if (child.restart === "temporary") this.#children.remove(child);
  }

  /** Ask a child to end, or end it. */
  #ask(child: Child): void {
    if (child.shutdown === "brutal_kill") this.#sys.kill(child.task!);
    else this.#sys.cancel(child.task!, "shutdown");
  }

  /** Wait for the end of a child and note what else ends meanwhile. Returns false when the time is up. */
  *#awaitEnd(child: Child, deadlineMs: number): Routine<boolean> {
    const sys = this.#sys;
    for (;;) {
      this.#drain();
      if (child.ended !== undefined) return true;
      const leftMs = deadlineMs - sys.monotonic();
      if (leftMs <= 0) return false;
      const waits = leftMs === Number.POSITIVE_INFINITY ? [] : [after(leftMs)];
      try {
        const [, notice] = yield* sys.select([receiveFrom(this.#exits), ...waits]);
        if (notice !== undefined) this.#note(notice as ExitNotice);
      } catch (error) {
        if (!(error instanceof TaskCancelledError)) throw error;
        this.#ending = error;
      }
    }
  }

  /** Note the ends that were told already. The kernel tells them as they happen, so whoever has no end now lives. */
  #drain(): void {
    let notice = this.#sys.tryReceive(this.#exits);
    while (notice !== undefined) {
      this.#note(notice);
      notice = this.#sys.tryReceive(this.#exits);
    }
  }

  /** End all children: in reverse order; those of a template at the same time. */
  *#stopAll(): Routine<void> {
    const children = this.#children.inOrder().toReversed();
    if (this.#children.simple) yield* this.#stopTogether(children);
    else for (const child of children) yield* this.#stop(child);
  }

  *#stopTogether(children: readonly Child[]): Routine<void> {
    const sys = this.#sys;
    this.#drain();
    const alive = children.filter(({ task, ended }) => task !== undefined && ended === undefined);
    for (const child of alive) this.#ask(child);
    const graceMs = alive[0]?.shutdown;
    const deadlineMs = typeof graceMs === "number" ? sys.monotonic() + graceMs : Number.POSITIVE_INFINITY;
    for (const child of alive) if (!(yield* this.#awaitEnd(child, deadlineMs))) sys.kill(child.task!);
    for (const child of alive) yield* this.#awaitEnd(child, Number.POSITIVE_INFINITY);
  }

  /** The end of a child's task was dealt with. */
  #rest(child: Child): void {
    if (child.handle !== undefined) this.#sys.drop(child.handle);
    child.handle = undefined;
    this.#children.rests(child);
  }

  #report(what: string, child: Child, reason: unknown): void {
    this.#sys.log("error", what, { child: child.label, reason: shown(reason, 500) });
  }

  // Requests

  *#answer(call: Call): Routine<void> {
    const sys = this.#sys;
    if (!call.open) return;
    try {
      replyTo(sys, call, yield* this.#perform(call));
    } catch (error) {
      if (this.#mustEnd(error) || error instanceof ExitError || !isGliaError(error)) throw error;
      if (call.open) sys.refuse(call, error);
    } finally {
      // Also when this task is being killed: nobody waits for an answer that cannot come.
      if (call.open) sys.refuse(call, new ServerEndedError(sys.getTid(), "the supervisor is ending"));
    }
  }

  *#perform({ message, from }: Call): Routine<unknown> {
    if (message === STARTED) return true;
    if (!(message instanceof SupervisorRequest))
      throw new NoHandlerError("what is no request to a supervisor");
    const { kind, key, spec, args } = message;
    if (kind === "which") return this.#children.facts();
    if (kind === "count") return this.#children.counts();
    if (kind === "start") return yield* this.#startNew(spec, args, from);
    const child = this.#children.find(key);
    if (kind === "handle") return this.#granted(child, from);
    if (kind === "terminate") {
      yield* this.#stop(child);
      if (this.#children.simple) this.#children.remove(child);
      return true;
    }
    if (this.#children.simple) throw new BadChildSpecError(`simple_one_for_one does not ${kind} children`);
    if (child.state !== "stopped")
      throw new ChildStateError(child.spec.id, child.state, kind === "delete" ? "deleted" : "restarted");
    if (kind === "delete") {
      this.#children.remove(child);
      return true;
    }
    yield* this.#start(child);
    return this.#started(child, from);
  }

  *#startNew(spec: ChildSpec | undefined, args: readonly unknown[], from: TaskId): Routine<StartedChild> {
    const { childLimit, children } = this.#plan;
    const { simple } = this.#children;
    if (simple !== (spec === undefined))
      throw new BadChildSpecError(
        simple ? "simple_one_for_one takes arguments for its template" : "a specification is needed",
      );
    if (this.#children.size >= childLimit) throw new TooManyChildrenError(childLimit);
    const child = new Child(spec ?? children[0]!, args, this.#plan);
    if (spec !== undefined) {
      checkSpec(spec, this.#plan);
      const present = this.#children.byId(spec.id);
      if (present !== undefined) throw new ChildStateError(spec.id, `${present.state} already`, "added");
    }
    yield* this.#start(child);
    if (child.task !== undefined || !(simple || child.restart === "temporary")) this.#children.add(child);
    return this.#started(child, from);
  }

  #started(child: Child, from: TaskId): StartedChild {
    return { task: child.task, handle: this.#granted(child, from) };
  }

  /** A handle to the child for another task. */
  #granted(child: Child, to: TaskId): Handle | undefined {
    return child.handle === undefined ? undefined : this.#sys.grant(to, child.handle, -1);
  }
}

function isActiveSignificant(child: Child): boolean {
  return child.spec.significant === true && child.state !== "stopped";
}
