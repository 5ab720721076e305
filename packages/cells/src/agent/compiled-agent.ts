/** A definition as the interpreter reads it: one shape for all, made once per definition. */

import { isRoutineFunction } from "./check-definition.ts";
import type { AgentDefinition } from "./definition.ts";
import { BadStateError } from "./errors.ts";
import type { AnyAgent, CompiledMessage } from "./kind.ts";
import { copyOf } from "./plain-value.ts";
import { plainIssues, type StandardSchema, validate } from "./standard-schema.ts";
import type { SupervisionPolicy } from "./supervision.ts";

const STOP: SupervisionPolicy = { onFailure: "stop" };

/** A definition, made ready. */
export class CompiledAgent {
  readonly definition: AgentDefinition;
  readonly messages: ReadonlyMap<string, CompiledMessage>;
  /** The hook `start` as a message; null without one. */
  readonly start: CompiledMessage | null;
  readonly failsOnAsk: boolean;
  readonly failsOnTell: boolean;
  /** Whether the state is checked after each message. */
  readonly contract: boolean;
  readonly supervise: SupervisionPolicy;
  readonly #schema: StandardSchema | null;

  constructor(definition: AgentDefinition) {
    const { messages, start, onError, invariant, state } = definition;
    this.definition = definition;
    this.messages = messages;
    this.start = start === undefined ? null : hook("start", start as CompiledMessage["handle"]);
    this.failsOnAsk = onError === "fail";
    this.failsOnTell = onError !== "reply";
    this.#schema = typeof state === "object" ? state.schema : null;
    this.contract = invariant !== undefined || this.#schema !== null;
    this.supervise = definition.supervise ?? STOP;
  }

  /** A first state. @throws {BadStateError} and what the definition throws */
  firstState(input: unknown): unknown {
    const { state } = this.definition;
    if (state === undefined) return {};
    return this.checked(typeof state === "function" ? state(input) : state.initial(input));
  }

  /** A state that fits. @throws {BadStateError} {ValueNotPlainError} for one that has a contract and cannot be copied */
  checked(state: unknown): unknown {
    if (!this.contract) return state;
    copyOf(state);
    if (this.#schema === null) return state;
    const result = validate(this.#schema, state, `the state of ${this.definition.name}`);
    if (result.issues !== undefined)
      throw new BadStateError(this.definition.name, plainIssues(result.issues));
    return result.value;
  }

  /** What is wrong with a state; undefined when nothing is. */
  violation(state: unknown): string | undefined {
    if (this.#schema !== null) {
      const { issues } = validate(this.#schema, state, `the state of ${this.definition.name}`);
      const issue = issues === undefined ? undefined : plainIssues(issues)[0];
      if (issue !== undefined) return issue.path === "" ? issue.message : `${issue.path}: ${issue.message}`;
    }
    const { invariant } = this.definition;
    if (invariant === undefined) return undefined;
    const verdict = invariant(state);
    if (verdict === true) return undefined;
    return typeof verdict === "string" ? verdict : "the invariant does not hold";
  }
}

const compiledBefore = new WeakMap<AnyAgent, CompiledAgent>();

/** The definition, made ready. */
export function compiledOf(definition: AnyAgent): CompiledAgent {
  let compiled = compiledBefore.get(definition);
  if (compiled === undefined) {
    compiled = new CompiledAgent(definition as AgentDefinition);
    compiledBefore.set(definition, compiled);
  }
  return compiled;
}

function hook(name: string, handle: CompiledMessage["handle"]): CompiledMessage {
  return { name, handle, input: null, reply: null, chunk: null, waits: isRoutineFunction(handle) };
}
