/** Refusals by agents and their systems, one class each. */
import { AgentError } from "@glia-os/abi/errors/agent";
import type { Issue } from "./issue.ts";

/** Who an error is about: a name where there is one. */
export interface Named {
  readonly id: string;
  readonly name?: string;
}

function shown(agent: Named | string): string {
  return typeof agent === "string" ? agent : (agent.name ?? agent.id);
}

function first(issues: readonly Issue[]): string {
  const issue = issues[0];
  if (issue === undefined) return "it does not fit its schema";
  return issue.path === "" ? issue.message : `${issue.path}: ${issue.message}`;
}

/** An agent asked itself while it handles a message. */
export class AskSelfError extends AgentError<"agent.ask-self"> {
  constructor(message: string) {
    super("agent.ask-self", `The agent asks itself for ${message} and would wait for ever`);
  }
}

/** No reply came in time. */
export class AskTimeoutError extends AgentError<"agent.ask-timeout"> {
  constructor(to: Named | string, message: string, timeoutMs: number) {
    super("agent.ask-timeout", `${shown(to)} did not answer ${message} within ${timeoutMs} ms`, {
      details: { to: shown(to), message, timeoutMs },
    });
  }
}

/** A schema answers with a promise. */
export class AsyncSchemaError extends AgentError<"agent.async-schema"> {
  constructor(what: string) {
    super("agent.async-schema", `The schema of ${what} answers with a promise`, { details: { what } });
  }
}

/** An argument breaks a rule. */
export class BadArgumentError extends AgentError<"agent.bad-argument"> {
  constructor(argument: string, why: string) {
    super("agent.bad-argument", `The ${argument} is refused: ${why}`, { details: { argument } });
  }
}

/** A handler emitted what its schema forbids. */
export class BadChunkError extends AgentError<"agent.bad-chunk"> {
  constructor(message: string, issues: readonly Issue[]) {
    super("agent.bad-chunk", `A chunk of ${message} is refused: ${first(issues)}`, {
      details: { message, issues },
    });
  }
}

/** A definition breaks a rule. */
export class BadDefinitionError extends AgentError<"agent.bad-definition"> {
  constructor(field: string, why: string) {
    super("agent.bad-definition", `The field ${field} of a definition is refused: ${why}`, {
      details: { field },
    });
  }
}

/** Text that should be an envelope is not. */
export class BadEnvelopeError extends AgentError<"agent.bad-envelope"> {
  constructor(why: string) {
    super("agent.bad-envelope", `An agent message cannot be read: ${why}`);
  }
}

/** A message does not fit its schema. */
export class BadMessageError extends AgentError<"agent.bad-message"> {
  constructor(message: string, issues: readonly Issue[]) {
    super("agent.bad-message", `The input of ${message} is refused: ${first(issues)}`, {
      details: { message, issues },
    });
  }
}

/** A handler returned what its schema forbids. */
export class BadReplyError extends AgentError<"agent.bad-reply"> {
  constructor(message: string, issues: readonly Issue[]) {
    super("agent.bad-reply", `The reply to ${message} is refused: ${first(issues)}`, {
      details: { message, issues },
    });
  }
}

/** A state does not fit its schema. */
export class BadStateError extends AgentError<"agent.bad-state"> {
  constructor(kind: string, issues: readonly Issue[]) {
    super("agent.bad-state", `The state of ${kind} is refused: ${first(issues)}`, {
      details: { kind, issues },
    });
  }
}

/** The system was closed. */
export class SystemClosedError extends AgentError<"agent.closed"> {
  constructor() {
    super("agent.closed", "The agent system is closed");
  }
}

/** The agent ended before it replied. */
export class AgentEndedError extends AgentError<"agent.ended"> {
  constructor(agent: Named | string, why: string) {
    super("agent.ended", `${shown(agent)} ended before it replied: ${why}`, {
      details: { agent: shown(agent), why },
    });
  }
}

/** A handler threw. */
export class HandlerFailedError extends AgentError<"agent.handler-failed"> {
  constructor(message: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("agent.handler-failed", `The handler of ${message} failed: ${why}`, {
      cause,
      details: { message, why },
    });
  }
}

/** A message left the state in a form that its definition forbids. */
export class InvariantError extends AgentError<"agent.invariant"> {
  constructor(message: string, why: string) {
    super("agent.invariant", `After ${message} the state is wrong: ${why}`, { details: { message, why } });
  }
}

/** The receiver holds as many messages as it may. */
export class AgentMailboxFullError extends AgentError<"agent.mailbox-full"> {
  constructor(agent: Named | string, capacity: number) {
    super("agent.mailbox-full", `${shown(agent)} has ${capacity} messages waiting, its limit`, {
      details: { agent: shown(agent), capacity },
    });
  }
}

/** Another agent has the name. */
export class AgentNameTakenError extends AgentError<"agent.name-taken"> {
  constructor(name: string) {
    super("agent.name-taken", `An agent named ${name} is there already`, { details: { name } });
  }
}

/** The message is no stream, or the handler serves none. */
export class NotAStreamError extends AgentError<"agent.not-a-stream"> {
  constructor(message: string, why: string) {
    super("agent.not-a-stream", `${message} is no stream: ${why}`, { details: { message } });
  }
}

/** Only a parent ends its children. */
export class NotParentAgentError extends AgentError<"agent.not-parent"> {
  constructor(agent: Named) {
    super("agent.not-parent", `${shown(agent)} is no child of this agent`, { details: { agent: agent.id } });
  }
}

/** The agent did not come to rest in time. */
export class PausedTooLongError extends AgentError<"agent.paused-too-long"> {
  constructor(agent: Named, waitedMs: number) {
    super("agent.paused-too-long", `${shown(agent)} did not end its handler within ${waitedMs} ms`, {
      details: { agent: agent.id, waitedMs },
    });
  }
}

/** There is no such place. */
export class PlaceUnknownError extends AgentError<"agent.place-unknown"> {
  constructor(place: string | number, why: string) {
    super("agent.place-unknown", `There is no place ${place}: ${why}`, { details: { place } });
  }
}

/** The reader of a stream wants no more. */
export class StreamClosedError extends AgentError<"agent.stream-closed"> {
  constructor(message: string) {
    super("agent.stream-closed", `The reader of ${message} is gone`, { details: { message } });
  }
}

/** A table is full. */
export class TooManyError extends AgentError<"agent.too-many"> {
  constructor(what: string, limit: number) {
    super("agent.too-many", `There are ${limit} ${what}, the limit`, { details: { what, limit } });
  }
}

/** Nobody has this address. */
export class UnknownAgentError extends AgentError<"agent.unknown-agent"> {
  constructor(agent: Named | string) {
    super("agent.unknown-agent", `There is no agent ${shown(agent)}`, { details: { agent: shown(agent) } });
  }
}

/** The agent has no such message. */
export class UnknownMessageError extends AgentError<"agent.unknown-message"> {
  constructor(kind: string, message: string, there: readonly string[]) {
    const has = there.slice(0, 16).join(", ");
    super("agent.unknown-message", `${kind} has no message ${message}; it has ${has}`, {
      details: { kind, message },
    });
  }
}

/** The new definition could not take the agent over. */
export class UpgradeFailedError extends AgentError<"agent.upgrade-failed"> {
  constructor(agent: Named, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("agent.upgrade-failed", `${shown(agent)} was not upgraded: ${why}`, {
      cause,
      details: { agent: agent.id, why },
    });
  }
}

/** A value cannot be a message. */
export class ValueNotPlainError extends AgentError<"agent.value-not-plain"> {
  constructor(path: string, what: string) {
    super("agent.value-not-plain", `${path === "" ? "The value" : path} is ${what}`, {
      details: { path, what },
    });
  }
}

/** An operation was made and not performed. */
export class WaitsInPlainHandlerError extends AgentError<"agent.waits-in-plain-handler"> {
  constructor(operation: string, message: string) {
    super(
      "agent.waits-in-plain-handler",
      `The handler of ${message} made ${operation} and did not perform it`,
      {
        details: { operation, message },
      },
    );
  }
}

/** The agent is of another kind. */
export class WrongKindError extends AgentError<"agent.wrong-kind"> {
  constructor(expected: string, found: string) {
    super("agent.wrong-kind", `The agent is a ${found}, not a ${expected}`, { details: { expected, found } });
  }
}
