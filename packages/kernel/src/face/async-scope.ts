/** Scopes of async programs: `await using scope = openAsyncScope(sys)`. The invariants are those of `scope.ts`. */
import { TaskKilledError } from "../errors.ts";
import type { AsyncSys } from "./async-sys.ts";
import { OpenScope, type ScopeChildren, type ScopeOptions } from "./scope.ts";

/** A scope of a program written as an async function. */
export class AsyncScope extends OpenScope implements AsyncDisposable {
  readonly #sys: AsyncSys;

  constructor(sys: AsyncSys, options: ScopeOptions) {
    super(sys, options);
    this.#sys = sys;
  }

  /** Wait until all children have ended by themselves. The first that fails ends the others. @throws {ScopeFailedError} */
  join(): Promise<void> {
    return this.#sys.run((sys) => this.children.join(sys));
  }

  /** End all children and wait for their ends. Idempotent. @throws {ScopeFailedError} when one failed and `join` did not tell. */
  close(): Promise<void> {
    return this.#sys.run((sys) => this.#closeOrDispose(sys));
  }

  /** What `await using` does at the end of its block: `close`; a task that is being killed only kills, since it cannot wait. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.close();
    } catch (error) {
      // What ended the block goes on being thrown; the kill is not an error on top of it.
      if (!(error instanceof TaskKilledError)) throw error;
    }
  }

  *#closeOrDispose(sys: Parameters<ScopeChildren["close"]>[0]): ReturnType<ScopeChildren["close"]> {
    try {
      yield* this.children.close(sys);
    } finally {
      this.children.dispose();
    }
  }
}

/** A scope for this task. Its end is awaited at the end of the block. @throws {BadDurationError} */
export function openAsyncScope(sys: AsyncSys, options: ScopeOptions = {}): AsyncScope {
  return new AsyncScope(sys, options);
}
