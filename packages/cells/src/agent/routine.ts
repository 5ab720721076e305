/**
 * Code that waits: what a handler that is a generator yields, and what it waits with.
 *
 * W1. A routine yields only through the operations of its context, performed by `yield*`. A yield of anything else fails the routine.
 */

/** What a routine yields while it waits. Only an interpreter makes one. */
export interface AgentStep {
  readonly waits: "for the agent";
}

/** The one step there is; its identity is the proof that a yield was an operation of the context (W1). */
export const STEP: AgentStep = Object.freeze({ waits: "for the agent" });

/** The result every waiting routine yields. */
export const WAITS: IteratorYieldResult<AgentStep> = { done: false, value: STEP };

/** A handler under way, or a part of one: what `function* (ctx) { ... }` returns. */
export type AgentRoutine<Result> = Generator<AgentStep, Result, unknown>;

/** Something that may wait: perform it once, at once, with `yield*`. */
export interface AgentOperation<Result> {
  [Symbol.iterator](): Iterator<AgentStep, Result, unknown>;
}
