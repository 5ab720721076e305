/**
 * Scopes: the children spawned in a block end with it.
 *
 * SC1. No child outlives its scope: when `close`, `join` with a failure, or `scoped` returns or throws, every child has ended. A block that
 *      is left in another way (a kill, a throw past `using`) has killed its children: they run nothing but `finally` blocks any more, and
 *      are unwound before any ordinary task runs.
 * SC2. Children of children in scopes of their own end with them, because the end of a child leaves its blocks.
 * SC3. Failures of children are thrown as one `ScopeFailedError`, once. A child that was cancelled or killed is no failure.
 * SC4. When the owner was cancelled, its children are cancelled and may clean up for the grace time; then they are killed.
 */
import { checkDuration } from "../duration.ts";
import { TaskCancelledError, UnknownTaskError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import type { Routine } from "../operation.ts";
import { checkOptions, routineOf } from "../options.ts";
import { shown } from "../shown.ts";
import type { Down } from "../supervision/notice.ts";
import type { Program, SpawnOptions, Sys } from "../sys.ts";
import type { Exit, TaskId } from "../task.ts";
import { after, receiveFrom } from "../wait.ts";
import { FAILURES_KEPT, NotScopeOwnerError, ScopeClosedError, ScopeFailedError } from "./errors.ts";

/** How a scope is made. */
export interface ScopeOptions {
  /** Milliseconds that cancelled children have to clean up: 0 to 9e12, default 5000. */
  readonly graceMs?: number;
}

/** The plain syscalls a scope makes; those of either face. */
type PlainSys = Pick<
  Sys,
  | "cancel"
  | "cancelRequested"
  | "drop"
  | "getTid"
  | "kill"
  | "log"
  | "mailbox"
  | "monitor"
  | "monotonic"
  | "spawn"
  | "tryReceive"
>;

const GRACE_MS = 5000;

/** The children of one scope, for either face: the waiting parts are generators over the kernel's own syscalls. Internal. */
export class ScopeChildren {
  readonly #sys: PlainSys;
  readonly #owner: TaskId;
  readonly #inbox: Handle<Down>;
  readonly #graceMs: number;
  readonly #live = new Set<TaskId>();
  #failures: { readonly task: TaskId; readonly error: unknown }[] = [];
  #failed = 0;
  #closed = false;

  constructor(sys: PlainSys, options: ScopeOptions) {
    checkOptions("the options of a scope", options);
    const graceMs = options.graceMs ?? GRACE_MS;
    checkDuration(graceMs, "a scope's grace time");
    this.#sys = sys;
    this.#graceMs = graceMs;
    this.#owner = sys.getTid();
    this.#inbox = sys.mailbox<Down>();
  }

  spawn<Result>(program: Program<Result>, options?: SpawnOptions): TaskId {
    this.#check();
    this.#drain();
    const child = this.#sys.spawn(program, options);
    try {
      this.#sys.monitor(child, this.#inbox);
    } catch (error) {
      this.#sys.kill(child, "its scope cannot hold it");
      throw error;
    }
    this.#live.add(child);
    return child;
  }

  live(): number {
    if (this.#closed) return 0;
    this.#drain();
    return this.#live.size;
  }

  /** Wait until every child has ended by itself, or one has failed; then end the others. */
  *join(sys: Sys): Routine<void> {
    this.#check();
    this.#drain();
    try {
      while (this.#live.size > 0 && this.#failed === 0) this.#note(yield* sys.receive(this.#inbox));
    } catch (error) {
      yield* this.#end(sys, error);
      throw error;
    }
    const interrupted = this.#failed > 0 ? yield* this.#end(sys, undefined) : undefined;
    if (interrupted !== undefined) throw interrupted;
    this.#report();
  }

  /** End every child, wait for it, and throw what failed. Later calls change nothing. */
  *close(sys: Sys): Routine<void> {
    if (this.#closed) return;
    this.#check();
    this.#drain();
    const interrupted = yield* this.#end(sys, undefined);
    this.#shut();
    if (interrupted !== undefined) throw interrupted;
    this.#report();
  }

  /** End every child because of an error, and wait. Failures are logged, since the error is thrown. */
  *abort(sys: Sys, error: unknown): Routine<void> {
    if (this.#closed) return;
    this.#drain();
    yield* this.#end(sys, error);
    this.#dispose();
  }

  /** Kill every child without waiting; for blocks that are left where nothing can wait. */
  dispose(): void {
    if (!this.#closed) this.#dispose();
  }

  #dispose(): void {
    this.#drain();
    this.#killAll("its scope was left");
    this.#shut();
    for (const { task, error } of this.#failures)
      this.#sys.log("error", "a child of a scope failed", { child: task, error: shown(error) });
    this.#failures = [];
    this.#failed = 0;
  }

  /** End every child and wait. Returns the cancellation that showed meanwhile, if one did. */
  *#end(sys: Sys, cause: unknown): Routine<TaskCancelledError | undefined> {
    let interrupted: TaskCancelledError | undefined;
    let endAtMs = this.#stop(cause instanceof TaskCancelledError ? cause.reason : "its scope was cancelled");
    while (this.#live.size > 0) {
      try {
        if (endAtMs === undefined) {
          this.#note(yield* sys.receive(this.#inbox));
          continue;
        }
        const leftMs = Math.max(0, endAtMs - this.#sys.monotonic());
        const [index, down] = yield* sys.select([receiveFrom(this.#inbox), after(leftMs)]);
        if (index === 0) this.#note(down);
        else {
          this.#killAll("its grace time is over");
          endAtMs = undefined;
        }
      } catch (error) {
        if (!(error instanceof TaskCancelledError)) throw error;
        interrupted = error;
      }
    }
    return interrupted;
  }

  /** Ask every child to end. Returns when those that were cancelled are to be killed; undefined when all were killed (SC4). */
  #stop(reason: unknown): number | undefined {
    if (!this.#sys.cancelRequested) {
      this.#killAll("its scope was closed");
      return undefined;
    }
    for (const child of this.#live) this.#sys.cancel(child, reason);
    return this.#sys.monotonic() + this.#graceMs;
  }

  #killAll(reason: string): void {
    for (const child of this.#live) {
      try {
        this.#sys.kill(child, reason);
      } catch (error) {
        // It ended, the notice went down with a kill of this task, and the kernel has forgotten it.
        if (!(error instanceof UnknownTaskError)) throw error;
        this.#live.delete(child);
      }
    }
  }

  #drain(): void {
    for (let down = this.#sys.tryReceive(this.#inbox); down !== undefined; ) {
      this.#note(down);
      down = this.#sys.tryReceive(this.#inbox);
    }
  }

  #note({ task, exit }: Down): void {
    this.#live.delete(task);
    const { kind } = exit as Exit;
    if (kind !== "failed") return;
    this.#failed++;
    const { error } = exit as Extract<Exit, { kind: "failed" }>;
    if (this.#failures.length < FAILURES_KEPT) this.#failures.push({ task, error });
  }

  #report(): void {
    if (this.#failed === 0) return;
    const error = new ScopeFailedError(this.#failures, this.#failed);
    this.#failures = [];
    this.#failed = 0;
    throw error;
  }

  #shut(): void {
    this.#closed = true;
    this.#live.clear();
    this.#sys.drop(this.#inbox);
  }

  #check(): void {
    const caller = this.#sys.getTid();
    if (caller !== this.#owner) throw new NotScopeOwnerError(this.#owner, caller);
    if (this.#closed) throw new ScopeClosedError();
  }
}

/** What scopes of both faces do without waiting. */
export class OpenScope {
  protected readonly children: ScopeChildren;

  constructor(sys: PlainSys, options: ScopeOptions) {
    this.children = new ScopeChildren(sys, options);
  }

  /** Children that live. */
  get live(): number {
    return this.children.live();
  }

  /** Spawn a child of this scope. @throws {ScopeClosedError} {NotScopeOwnerError} {RelationLimitError} and what `Sys.spawn` throws */
  spawn<Result>(program: Program<Result>, options?: SpawnOptions): TaskId {
    return this.children.spawn(program, options);
  }
}

/** A scope of a program written as a generator. */
export class Scope extends OpenScope implements Disposable {
  readonly #sys: Sys;

  constructor(sys: Sys, options: ScopeOptions) {
    super(sys, options);
    this.#sys = sys;
  }

  /** Wait until all children have ended by themselves. The first that fails ends the others. @throws {ScopeFailedError} */
  join(): Routine<void> {
    return this.children.join(this.#sys);
  }

  /** End all children and wait for their ends. Idempotent. @throws {ScopeFailedError} when one failed and `join` did not tell. */
  close(): Routine<void> {
    return this.children.close(this.#sys);
  }

  /** End all children because of an error that goes on to be thrown, and wait. Their failures are logged. */
  abort(error: unknown): Routine<void> {
    return this.children.abort(this.#sys, error);
  }

  /** Kill all children, without waiting. What `using` does at the end of a block that did not `close`. */
  [Symbol.dispose](): void {
    this.children.dispose();
  }
}

/** A scope for this task: `using scope = openScope(sys)`, and `yield* scope.close()` before the end of the block. @throws {BadDurationError} */
export function openScope(sys: Sys, options: ScopeOptions = {}): Scope {
  return new Scope(sys, options);
}

/**
 * Run a block with a scope: its children have ended when this returns or throws (SC1). To let them end by themselves, `yield* scope.join()`
 * at the end of the block. @throws {ScopeFailedError} when a child failed and the block did not throw.
 */
export function* scoped<Result>(
  sys: Sys,
  block: (scope: Scope) => Routine<Result>,
  options: ScopeOptions = {},
): Routine<Result> {
  const scope = new Scope(sys, options);
  try {
    let result: Result;
    try {
      result = yield* routineOf(block, scope);
    } catch (error) {
      yield* scope.abort(error);
      throw error;
    }
    yield* scope.close();
    return result;
  } finally {
    scope[Symbol.dispose]();
  }
}
