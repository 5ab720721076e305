/** The context that handlers get, over the interpreter. */
import type { LogFields, LogLevel } from "@glia-os/abi/ports";
import type { AgentTables } from "./agent-tables.ts";
import { continuing, tracedFields } from "./carried-trace.ts";
import { isDefinition } from "./check-definition.ts";
import { ASK_TIMEOUT_MS, DURATION_MS_MAX, MAILBOX_CAPACITY, NAME_CHARS_MAX } from "./constants.ts";
import type {
  Accepted,
  AgentContext,
  AgentStream,
  AskOptions,
  SettledOptions,
  SpawnOptions,
  TellOptions,
  Ticket,
} from "./context.ts";
import type { AgentEnvelope } from "./envelope.ts";
import {
  AgentMailboxFullError,
  BadArgumentError,
  NotParentAgentError,
  UnknownMessageError,
} from "./errors.ts";
import type { AnyAgent } from "./kind.ts";
import type { AgentOutside, AgentSpeaker, Sent } from "./outside.ts";
import { type Asker, PendingAsk, SettledWait } from "./pending-ask.ts";
import { passable } from "./plain-value.ts";
import { unusual } from "./priority.ts";
import { type AgentRef, type AgentTarget, isAgentName, isAgentRef } from "./reference.ts";
import type { AgentOperation } from "./routine.ts";
import { Emit, type Reader, type Source, StreamReader } from "./stream.ts";
import { checkPolicy } from "./supervision.ts";
import { HostRequest, Sleep } from "./waiting.ts";

/** The interpreter, as far as a context knows it. */
export interface Performer extends AgentSpeaker, Asker, Reader, Source {
  state: unknown;
  readonly request: AgentEnvelope | null;
  readonly host: AgentOutside;
  more(): AgentTables;
  wakeAt(deadlineMs: number, nowMs: number): void;
  send(to: AgentTarget, envelope: AgentEnvelope): Sent;
  stopSelf(): void;
  stopChild(child: AgentRef): void;
}

/** The context of one agent. */
export class ProcessContext implements AgentContext {
  readonly #process: Performer;

  constructor(process: Performer) {
    this.#process = process;
  }

  get self(): AgentRef {
    return this.#process.ref;
  }

  get from(): AgentRef | undefined {
    return this.#process.request?.from;
  }

  get traceparent(): string | undefined {
    return this.#process.request?.trace?.parent;
  }

  get state(): unknown {
    return this.#process.state;
  }

  set state(state: unknown) {
    this.#process.state = state;
  }

  now(): number {
    return this.#process.host.wallMs();
  }

  random(): number {
    return this.#process.host.uint32() / 4_294_967_296;
  }

  log(level: LogLevel, message: string, fields?: LogFields): void {
    const process = this.#process;
    process.host.log(process, level, message, tracedFields(fields, process.request));
  }

  // Messages

  tell(to: AgentTarget, message: string, input?: unknown, options?: TellOptions): Accepted {
    checkTarget(to);
    checkMessage(message);
    const priority = options === undefined ? undefined : unusual(options.priority);
    const process = this.#process;
    const envelope: AgentEnvelope = {
      kind: "tell",
      from: process.ref,
      correlation: 0,
      message,
      input: passable(input),
    };
    const ranked = priority === undefined ? envelope : { ...envelope, priority };
    const sent = process.send(to, continuing(ranked, process.request));
    if (sent === "full") throw new AgentMailboxFullError(to, MAILBOX_CAPACITY);
    if (sent !== "unknown") return sent;
    process.host.log(process, "warn", "a message went to nobody", { message, to: nameOf(to) });
    return "taken";
  }

  ask(to: AgentTarget, message: string, input?: unknown, options?: AskOptions): AgentOperation<never> {
    return this.#ask(to, message, input, options).armed() as AgentOperation<unknown> as AgentOperation<never>;
  }

  begin(to: AgentTarget, message: string, input?: unknown, options?: AskOptions): Ticket<never> {
    const ask = this.#ask(to, message, input, options);
    ask.kept = true;
    this.#process.perform(ask);
    return { id: ask.id };
  }

  settled(tickets: readonly Ticket[], options: SettledOptions = {}): AgentOperation<never> {
    const tables = this.#process.more();
    const seen = new Set<number>();
    const asks = tickets.map((ticket, i) => {
      const ask = tables.findAsk(ticket.id);
      if (ask === undefined || !ask.kept || seen.has(ticket.id))
        throw new BadArgumentError(`ticket ${i}`, "it is not under way in this handler, or used up");
      seen.add(ticket.id);
      return ask;
    });
    const { count = Math.min(1, asks.length), timeoutMs } = options;
    if (!Number.isInteger(count) || count < 0 || count > asks.length)
      throw new BadArgumentError("count", `it must be a whole number from 0 to ${asks.length}`);
    const wait = new SettledWait(this.#process, asks, [...tickets], count);
    if (timeoutMs !== undefined)
      wait.deadlineMs = this.#process.monotonicMs() + duration("timeoutMs", timeoutMs, 0);
    return wait as AgentOperation<unknown> as AgentOperation<never>;
  }

  abandon(tickets: readonly Ticket[]): void {
    const tables = this.#process.more();
    for (const { id } of tickets) {
      const ask = tables.findAsk(id);
      if (ask?.kept) this.#process.forget(ask);
    }
  }

  open(to: AgentTarget, message: string, input?: unknown, options?: AskOptions): AgentStream<never, never> {
    const ask = this.#ask(to, message, input, options);
    const stream = new StreamReader(this.#process, ask);
    ask.taker = stream;
    this.#process.perform(ask);
    return stream as AgentStream as AgentStream<never, never>;
  }

  emit(chunk: unknown): AgentOperation<void> {
    return new Emit(this.#process, chunk) as AgentOperation<unknown> as AgentOperation<void>;
  }

  #ask(to: AgentTarget, message: string, input: unknown, options: AskOptions | undefined): PendingAsk {
    checkTarget(to);
    checkMessage(message);
    const limit = options?.timeoutMs;
    const timeoutMs = limit === undefined ? ASK_TIMEOUT_MS : duration("timeoutMs", limit, 1);
    const priority = options === undefined ? undefined : unusual(options.priority);
    return new PendingAsk(this.#process, { to, message, input: passable(input), timeoutMs, priority });
  }

  // Time

  sleep(durationMs: number): AgentOperation<void> {
    const deadlineMs = this.#process.monotonicMs() + duration("time to sleep", durationMs, 0);
    return new Sleep(this.#process, deadlineMs) as AgentOperation<unknown> as AgentOperation<void>;
  }

  after(durationMs: number, message: string, input?: unknown): number {
    return this.#timer(duration("time", durationMs, 0), 0, message, input);
  }

  every(periodMs: number, message: string, input?: unknown): number {
    const period = duration("period", periodMs, 1);
    return this.#timer(period, period, message, input);
  }

  cancelTimer(timer: number): boolean {
    return this.#process.more().timers.cancel(timer);
  }

  #timer(delayMs: number, periodMs: number, message: string, input: unknown): number {
    this.#known(message);
    const process = this.#process;
    const now = process.monotonicMs();
    const timer = process.more().timers.set(now + delayMs, periodMs, message, passable(input));
    process.wakeAt(now + delayMs, now);
    return timer;
  }

  // Other agents

  spawn(definition: AnyAgent, options: SpawnOptions = {}): AgentOperation<never> {
    checkSpawn(definition, options);
    const process = this.#process;
    const input = passable(options.input);
    const policy = options.supervise ?? process.definition.supervise ?? { onFailure: "stop" };
    const request = new HostRequest(process, "spawn", (made) => {
      const tables = process.more();
      if (options.detached !== true) tables.children.checkRoom();
      made.taken = (ref) => {
        if (options.detached !== true) tables.children.add(ref as AgentRef, policy);
      };
      const number = tables.addRequest(made);
      let ref: AgentRef | undefined;
      try {
        ref = process.host.spawn(process, number, definition, { ...options, input });
      } catch (error) {
        tables.takeRequest(number);
        throw error;
      }
      if (ref !== undefined) tables.takeRequest(number)?.answer(true, ref);
    });
    return request as AgentOperation<unknown> as AgentOperation<never>;
  }

  stop(child?: AgentRef): void {
    const process = this.#process;
    if (child === undefined || child.id === process.ref.id) process.stopSelf();
    else if (!isAgentRef(child)) throw new BadArgumentError("child", "it is no address");
    else if (!process.more().children.has(child.id)) throw new NotParentAgentError(child);
    else process.stopChild(child);
  }

  children(): readonly AgentRef[] {
    return this.#process.more().children.refs();
  }

  find(name: string): AgentOperation<never> {
    checkName("name", name);
    const process = this.#process;
    const request = new HostRequest(process, "find", (asked) => {
      const number = process.more().addRequest(asked);
      const ref = process.host.find(process, number, name);
      if (ref !== undefined)
        process
          .more()
          .takeRequest(number)
          ?.answer(true, ref ?? undefined);
    });
    return request as AgentOperation<unknown> as AgentOperation<never>;
  }

  // Topics

  subscribe(topic: string, message: string): void {
    checkName("topic", topic);
    this.#known(message);
    if (this.#process.more().subscribe(topic, message)) this.#process.host.subscribe(this.#process, topic);
  }

  unsubscribe(topic: string): boolean {
    const had = this.#process.more().topics.delete(topic);
    if (had) this.#process.host.unsubscribe(this.#process, topic);
    return had;
  }

  publish(topic: string, input: unknown): void {
    checkName("topic", topic);
    const process = this.#process;
    const envelope = {
      kind: "publish",
      from: process.ref,
      correlation: 0,
      message: topic,
      input: passable(input),
    } as const;
    process.host.publish(process, topic, continuing(envelope, process.request));
  }

  /** Refuse a message that this agent does not have. */
  #known(message: string): void {
    const { name, messages } = this.#process.definition;
    if (!messages.has(message)) throw new UnknownMessageError(name, message, [...messages.keys()]);
  }
}

/** Refuse what is no kind or no way to spawn one. @throws {BadArgumentError} */
export function checkSpawn(definition: unknown, options: SpawnOptions): void {
  if (!isDefinition(definition)) throw new BadArgumentError("definition", "it was not made by agent()");
  if (options.name !== undefined) checkName("name", options.name);
  const wrong = options.supervise === undefined ? undefined : checkPolicy(options.supervise);
  if (wrong !== undefined) throw new BadArgumentError("supervise", wrong);
}

/** Refuse what is no address. @throws {BadArgumentError} */
export function checkTarget(to: unknown): void {
  if (typeof to === "string" ? isAgentName(to) : isAddress(to)) return;
  throw new BadArgumentError("target", "it must be an address, or a name of 1 to 64 of a-z 0-9 - . _");
}

/** Addresses that systems made are the usual case; their form is looked at quickly, and unknown ids are found out when it is sent. */
function isAddress(to: unknown): boolean {
  return (
    typeof to === "object" &&
    to !== null &&
    typeof (to as AgentRef).id === "string" &&
    (to as AgentRef).id.length === 32
  );
}

function checkMessage(message: unknown): void {
  if (typeof message === "string" && message.length > 0 && message.length <= NAME_CHARS_MAX) return;
  throw new BadArgumentError("message", `its name must be text of 1 to ${NAME_CHARS_MAX} characters`);
}

function checkName(what: string, name: unknown): void {
  if (!isAgentName(name)) throw new BadArgumentError(what, "it must be 1 to 64 of a-z 0-9 - . _");
}

function duration(what: string, ms: number, least: number): number {
  if (ms >= least && ms <= DURATION_MS_MAX) return ms;
  throw new BadArgumentError(what, `it must be from ${least} to ${DURATION_MS_MAX} ms`);
}

function nameOf(to: AgentTarget): string {
  return typeof to === "string" ? to : (to.name ?? to.id);
}
