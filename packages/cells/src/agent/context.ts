/**
 * What a handler sees of the world. The same interface in a thread, a worker, a WebAssembly cell and a durable program.
 *
 * CX1. What cannot wait is a plain call. What may wait is an operation, performed by `yield*`, and so only in handlers that are generators.
 * CX2. A context belongs to one agent and is used only while a handler of that agent runs.
 */
import type { LogFields, LogLevel } from "@glia-os/abi/ports";
import type { AnyAgent, ChunkOf, InputOf, MessageName, ReplyOf, SpawnInputOf } from "./kind.ts";
import type { MessagePriority } from "./priority.ts";
import type { AgentRef, AgentTarget } from "./reference.ts";
import type { AgentOperation } from "./routine.ts";
import type { SupervisionPolicy } from "./supervision.ts";

declare const REPLY: unique symbol;

/** An ask that is under way. Plain data, of use only to the agent that began it. */
export interface Ticket<Reply = unknown> {
  readonly id: number;
  readonly [REPLY]?: Reply;
}

/** How an ask ended. */
export type Settled<Reply = unknown> =
  | { readonly ticket: Ticket<Reply>; readonly ok: true; readonly value: Reply }
  | { readonly ticket: Ticket<Reply>; readonly ok: false; readonly error: unknown };

/** How a message is sent. */
export interface TellOptions {
  /**
   * Default `normal`. A message goes before those of a lower priority that wait at its receiver, at most 16 times in a row; messages of one
   * sender keep their order within one priority only (docs/spec/agent-message.md).
   */
  readonly priority?: MessagePriority;
}

/** How a program outside sends a message. */
export interface SystemTellOptions extends TellOptions {
  /**
   * Keep the message on the disk of the program's node until the agent's node has it, also over restarts of both; given up after this time: 1,000 to
   * 604,800,000 ms. Over nodes only: a system of one process has nothing that outlives it, and refuses it.
   */
  readonly keepMs?: number;
}

/** How an ask is made. */
export interface AskOptions extends TellOptions {
  /** 1 to 2,147,483,647 ms; default 5000. */
  readonly timeoutMs?: number;
}

/** How a wait for asks ends. */
export interface SettledOptions {
  /** How many must have settled; default 1, at most as many as there are tickets. */
  readonly count?: number;
  /** Give up waiting after this time and give those that have settled, which may be none. Default: no limit but those of the asks. */
  readonly timeoutMs?: number;
}

/** What a stream gives. */
export type StreamItem<Chunk, Reply> =
  | { readonly done: false; readonly value: Chunk }
  | { readonly done: true; readonly value: Reply };

/** A stream of chunks from another agent. Its source may be 16 chunks ahead of the reader and then waits. */
export interface AgentStream<Chunk = unknown, Reply = unknown> {
  /** Wait for the next chunk, or the end with the reply of the handler. @throws what the handler failed with, `agent.ask-timeout` */
  next(): AgentOperation<StreamItem<Chunk, Reply>>;
  /** Have no more of it: the source's next `emit` fails with `agent.stream-closed`. Idempotent. */
  cancel(): void;
}

/** How a child is made. */
export interface SpawnOptions<Input = unknown> {
  /** A name to be found by: 1 to 64 of `a-z 0-9 - . _`. @throws `agent.name-taken` */
  readonly name?: string;
  /** What the hook `start` gets. */
  readonly input?: Input;
  /**
   * Where: a place that the system knows (a worker's name or index, a node's id or name), or `any`: the worker whose agents expect to
   * compute least. Default: where the system chooses.
   */
  readonly on?: string | number;
  /** What happens when the child fails. Default: what the parent's definition says, and `stop` without that. */
  readonly supervise?: SupervisionPolicy;
  /** The child goes on when its parent ends. Default false. */
  readonly detached?: boolean;
}

/** What became of a message at once: `pressured` was taken too, and says that the sender should hold back. */
export type Accepted = "taken" | "pressured";

/** The world of one agent. */
export interface AgentContext<State = unknown, Chunk = unknown> {
  /** This agent's address. */
  readonly self: AgentRef;
  /** Who sent the message that is handled; undefined for timers and for senders outside that are no agents. */
  readonly from: AgentRef | undefined;
  /**
   * The span that the message which is handled is in, as a `traceparent` of W3C Trace Context; undefined where nobody traces. Messages that are sent
   * take it along by themselves; it is for what else is called, an HTTP server for example.
   */
  readonly traceparent: string | undefined;
  /** The agent's state. Change it in place or assign another. */
  state: State;

  // Time, chance, words

  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** A number from 0 up to but not including 1. */
  random(): number;
  /** Write a log line with the agent's id and name, and where the message is traced with `trace_id` and `span_id`. `message` is constant text; what varies goes into `fields`. */
  log(level: LogLevel, message: string, fields?: LogFields): void;

  // Messages

  /**
   * Send a message and expect nothing back. Messages of one sender to one agent with one priority arrive in order. A message to nobody is
   * counted and logged, not refused: that may show only on another machine. @throws `agent.mailbox-full` when the receiver is here and has 1000
   * messages waiting; `agent.bad-argument`
   */
  tell<Def = unknown, Name extends MessageName<Def> = MessageName<Def>>(
    to: AgentTarget<Def>,
    message: Name,
    input?: InputOf<Def, Name>,
    options?: TellOptions,
  ): Accepted;

  /**
   * Send a message and wait for the reply. @throws `agent.ask-timeout` `agent.unknown-agent` `agent.unknown-message` `agent.bad-message`
   * `agent.mailbox-full` `agent.ended` `agent.ask-self`, and what the handler failed with
   */
  ask<Def = unknown, Name extends MessageName<Def> = MessageName<Def>>(
    to: AgentTarget<Def>,
    message: Name,
    input?: InputOf<Def, Name>,
    options?: AskOptions,
  ): AgentOperation<ReplyOf<Def, Name>>;

  /** Begin an ask and go on; `settled` waits for it. At most 4096 are under way at a time. @throws `agent.too-many` */
  begin<Def = unknown, Name extends MessageName<Def> = MessageName<Def>>(
    to: AgentTarget<Def>,
    message: Name,
    input?: InputOf<Def, Name>,
    options?: AskOptions,
  ): Ticket<ReplyOf<Def, Name>>;

  /**
   * Wait until `count` of these asks have settled. Gives all that have, in the order they settled, and forgets those: a ticket given
   * back is used up. @throws `agent.bad-argument` for a ticket that is not under way
   */
  settled<Reply>(
    tickets: readonly Ticket<Reply>[],
    options?: SettledOptions,
  ): AgentOperation<readonly Settled<Reply>[]>;

  /** Forget asks that are under way; their replies are dropped. Ignores tickets that are used up. */
  abandon(tickets: readonly Ticket[]): void;

  /** Open a stream: the message must have `chunk`. `timeoutMs` limits the wait for each item. */
  open<Def = unknown, Name extends MessageName<Def> = MessageName<Def>>(
    to: AgentTarget<Def>,
    message: Name,
    input?: InputOf<Def, Name>,
    options?: AskOptions,
  ): AgentStream<ChunkOf<Def, Name>, ReplyOf<Def, Name>>;

  /** Give a chunk to whoever opened this stream; waits while it is 16 ahead. @throws `agent.stream-closed` `agent.bad-chunk` `agent.not-a-stream` */
  emit(chunk: Chunk): AgentOperation<void>;

  // Time

  /** Wait: 0 to 2,147,483,647 ms. Other messages wait meanwhile, in order. */
  sleep(durationMs: number): AgentOperation<void>;
  /** Have this agent get a message once, after a time. Gives the timer's id. @throws `agent.too-many` beyond 1024 */
  after(durationMs: number, message: string, input?: unknown): number;
  /** Have this agent get a message again and again, one period (1 ms or more) after another. Ticks that come while one waits are skipped. */
  every(periodMs: number, message: string, input?: unknown): number;
  /** Forget a timer. Returns false when it is over. */
  cancelTimer(timer: number): boolean;

  // Other agents

  /** Make a child. @throws `agent.name-taken` `agent.too-many` `agent.bad-argument` and what the system refuses */
  spawn<Def extends AnyAgent>(
    definition: Def,
    options?: SpawnOptions<SpawnInputOf<Def>>,
  ): AgentOperation<AgentRef<Def>>;
  /** End a child, or this agent when none is named: after the handler that runs now. Its hook `stop` runs. @throws `agent.not-parent` */
  stop(child?: AgentRef): void;
  /** This agent's children that live. */
  children(): readonly AgentRef[];
  /** Who has a name; undefined when nobody has. */
  find<Def = unknown>(name: string): AgentOperation<AgentRef<Def> | undefined>;

  // Topics

  /** Get what is published to a topic as a message. @throws `agent.too-many` beyond 256 topics; `agent.unknown-message` */
  subscribe(topic: string, message: string): void;
  /** Get it no longer. Returns false without a subscription. */
  unsubscribe(topic: string): boolean;
  /** Send to everyone who subscribes to a topic, at most once each; who is not reached in time misses it. */
  publish(topic: string, input: unknown): void;
}
