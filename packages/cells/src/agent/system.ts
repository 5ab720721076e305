/**
 * Agents as the program outside sees them. The same interface over a kernel of this thread, workers, a mesh of nodes and durable programs;
 * `@glia-os/cells/testing` has the contract that every implementation is tested against.
 *
 * AS1. What an agent may do through its context, a routine of `run` may do too: it is an agent without a definition for its time.
 */
import type { AgentContext, AskOptions, SpawnOptions, SystemTellOptions } from "./context.ts";
import type { AnyAgent, ChunkOf, InputOf, MessageName, ReplyOf, SpawnInputOf, StopReason } from "./kind.ts";
import type { MessageRecord } from "./message-record.ts";
import type { AgentProfile } from "./profile.ts";
import type { AgentRef, AgentTarget } from "./reference.ts";
import type { AgentRoutine } from "./routine.ts";

/** The states of an agent. */
export type AgentState = "created" | "running" | "suspended" | "failed" | "terminated";

/** What is known of an agent. */
export interface AgentReport {
  readonly ref: AgentRef;
  /** The name and version of its definition. */
  readonly kind: string;
  readonly version: number;
  readonly state: AgentState;
  /** Messages that wait. */
  readonly waiting: number;
  /** Late replies and messages dropped. */
  readonly dropped: number;
  readonly children: readonly AgentRef[];
  readonly profile: AgentProfile;
  /** Where it runs: a place of the system. */
  readonly place: string;
}

/** How an agent ended. */
export interface AgentEnd {
  readonly ref: AgentRef;
  readonly reason: StopReason;
  /** What it failed with. */
  readonly error: unknown;
}

/** Looking at agents. Systems that span machines answer later. */
export interface AgentObservation {
  /** What is known of one agent; undefined for one that is not there. */
  agent(ref: AgentRef): Promise<AgentReport | undefined>;
  /** Agents that live, at most `limit` (default 1000) of them. */
  agents(limit?: number): Promise<readonly AgentReport[]>;
  /** Begin to keep the last `entries` (1 to 65,536, default 256) messages of an agent, or end it with 0. @throws `agent.unknown-agent` */
  log(ref: AgentRef, entries?: number): Promise<void>;
  /** The messages that were kept, oldest first. */
  messages(ref: AgentRef): Promise<readonly MessageRecord[]>;
  /** Hear of agents that end, also of failures. Returns the function that ends that. */
  ends(listener: (end: AgentEnd) => void): () => void;
}

/** Agents, from outside. */
export interface AgentSystem {
  /** Run a routine as an agent of its own; children and tickets that it leaves behind end with it. Rejects with what it throws. */
  run<Result>(routine: (ctx: AgentContext) => AgentRoutine<Result>): Promise<Result>;
  /** Make an agent without a parent. Resolves when it can be sent to, which may be before `start` ended. */
  spawn<Def extends AnyAgent>(
    definition: Def,
    options?: SpawnOptions<SpawnInputOf<Def>>,
  ): Promise<AgentRef<Def>>;
  /** A typed address from an id or a name; a name is looked up at each use. @throws `agent.bad-argument` */
  ref<Def extends AnyAgent>(definition: Def, nameOrId: string): AgentTarget<Def>;
  /** Who has a name. */
  find<Def = unknown>(name: string): Promise<AgentRef<Def> | undefined>;
  /** See `AgentContext.tell`. Resolves when the message is accepted, or kept. @throws `agent.unknown-agent` `agent.mailbox-full`, where that shows at once */
  tell<Def = unknown, Name extends MessageName<Def> = MessageName<Def>>(
    to: AgentTarget<Def>,
    message: Name,
    input?: InputOf<Def, Name>,
    options?: SystemTellOptions,
  ): Promise<void>;
  /** See `AgentContext.ask`. */
  ask<Def = unknown, Name extends MessageName<Def> = MessageName<Def>>(
    to: AgentTarget<Def>,
    message: Name,
    input?: InputOf<Def, Name>,
    options?: AskOptions,
  ): Promise<ReplyOf<Def, Name>>;
  /** See `AgentContext.open`. Leaving the loop cancels the stream. */
  stream<Def = unknown, Name extends MessageName<Def> = MessageName<Def>>(
    to: AgentTarget<Def>,
    message: Name,
    input?: InputOf<Def, Name>,
    options?: AskOptions,
  ): AsyncIterableIterator<ChunkOf<Def, Name>, ReplyOf<Def, Name> | undefined>;
  /** End an agent: after the handler that runs now, its hook `stop` runs; resolves when it has ended. Idempotent. */
  stop(ref: AgentRef): Promise<void>;
  /** Let an agent handle nothing, from the next message on. Messages wait. @throws `agent.unknown-agent` */
  pause(ref: AgentRef): Promise<void>;
  /** Let it go on. @throws `agent.unknown-agent` */
  resume(ref: AgentRef): Promise<void>;
  /**
   * Give an agent a new definition of the same name, between two messages: `codeChange` takes its state over. No message is lost. When
   * that fails it goes on as before. `timeoutMs` (default 5000) limits the wait for the handler that is under way.
   * @throws `agent.upgrade-failed` `agent.paused-too-long` `agent.unknown-agent` `agent.wrong-kind`
   */
  upgrade(ref: AgentRef, definition: AnyAgent, timeoutMs?: number): Promise<void>;
  /** Looking inside. */
  readonly observe: AgentObservation;
  /** End every agent and the system. Idempotent. */
  close(): Promise<void>;
}
