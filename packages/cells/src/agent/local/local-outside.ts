/**
 * The world of the agents of one thread: who is there, what they are called, what they subscribe to, and their alarms.
 *
 * LO1. Envelopes go as objects. What is not here goes through `remote`, if there is one.
 * LO2. One task rings all alarms. It lives while there are some.
 */
import type { Clock, LogFields, Logger, LogLevel, Random, Tracer } from "@glia-os/abi/ports";
import {
  after,
  type Handle,
  type Kernel,
  type Park,
  type Program,
  type Sys,
  signalOf,
  type SpawnOptions as TaskOptions,
} from "@glia-os/kernel";
import { TimerHeap } from "@glia-os/kernel/timer-wheel";
import { MAILBOX_CAPACITY } from "../constants.ts";
import type { SpawnOptions } from "../context.ts";
import type { AgentEnvelope } from "../envelope.ts";
import {
  AgentMailboxFullError,
  AgentNameTakenError,
  PlaceUnknownError,
  SystemClosedError,
  UnknownAgentError,
} from "../errors.ts";
import type { AnyAgent, StopReason } from "../kind.ts";
import type { AgentOutside, Sent } from "../outside.ts";
import type { AgentRef, AgentTarget } from "../reference.ts";
import type { AgentEnd } from "../system.ts";
import { LocalAgent, NONE, type TaskHost } from "./local-agent.ts";
import { TracedEnvelopes } from "./traced-envelopes.ts";

/** Reading the clock costs a quarter of an ask. */
const DATING_MS = 8;

/** What fills a count of so many hexadecimal digits up to sixteen. */
const ZEROS: readonly string[] = Array.from({ length: 17 }, (_, digits) => "0".repeat(16 - digits));

/** What the agents of a thread live on. */
export interface LocalParts {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
  readonly tracer?: Tracer | undefined;
  /** How the task of an agent is made: priority, budget, account, share. */
  readonly task?: ((definition: AnyAgent) => Omit<TaskOptions, "give" | "name">) | undefined;
}

/** How an agent of this thread is made. */
export interface Birth {
  readonly parent?: AgentRef | undefined;
  readonly ref?: AgentRef | undefined;
}

/** Where agents are that are not in this thread (LO1). */
export interface Remote {
  send(speaker: LocalAgent, to: AgentTarget, envelope: AgentEnvelope): Sent;
  spawn(
    speaker: LocalAgent,
    request: number,
    definition: AnyAgent,
    options: SpawnOptions,
  ): AgentRef | undefined;
  find(speaker: LocalAgent, request: number, name: string): AgentRef | null | undefined;
  publish(speaker: LocalAgent, topic: string, envelope: AgentEnvelope): void;
  ended(agent: LocalAgent, reason: StopReason, error: unknown): void;
}

/** The host of the agents of one thread. */
export class LocalOutside implements AgentOutside<LocalAgent>, TaskHost {
  readonly datingMs: number = DATING_MS;
  turns = 0;
  speaking: LocalAgent | null = null;
  atOnce = 0;
  declare sys: Sys;
  declare resumption: Iterator<Park, unknown>;
  remote: Remote | null = null;
  /** What ids begin with, when this thread is one place of several. */
  prefix = "";
  readonly agents: Map<string, LocalAgent> = new Map();
  readonly names: Map<string, LocalAgent> = new Map();
  readonly endListeners: Set<(end: AgentEnd) => void> = new Set();
  /** Set when the last agent of a closing system has ended. */
  closing: (() => void) | null = null;
  readonly #parts: LocalParts;
  readonly #random: Random;
  /** Null where nobody traces: a message costs one look at it. */
  readonly #traced: TracedEnvelopes | null;
  readonly #topics = new Map<string, Set<LocalAgent>>();
  readonly #alarms = new TimerHeap<LocalAgent>();
  #idBase = "";
  #made = 0;
  #alarmBell: Handle | null = null;
  #ringing = false;

  constructor(parts: LocalParts) {
    this.#parts = parts;
    this.#random = parts.kernel.random.fork("agents");
    const { tracer, clock } = parts;
    this.#traced = tracer === undefined ? null : new TracedEnvelopes(tracer, () => clock.monotonicMs());
  }

  // Agents

  /** Make an agent and its task. @throws {AgentNameTakenError} {SystemClosedError} and what the definition and the kernel refuse */
  make(definition: AnyAgent, options: SpawnOptions, birth: Birth = {}): LocalAgent {
    if (this.closing !== null) throw new SystemClosedError();
    const { name } = options;
    if (name !== undefined && this.names.has(name)) throw new AgentNameTakenError(name);
    const ref =
      birth.ref ?? Object.freeze(name === undefined ? { id: this.newId() } : { id: this.newId(), name });
    const agent = new LocalAgent({
      ref,
      definition,
      outside: this,
      parent: birth.parent,
      input: options.input,
    });
    this.#launch(agent, definition, name);
    this.agents.set(ref.id, agent);
    if (name !== undefined) this.names.set(name, agent);
    return agent;
  }

  #launch(agent: LocalAgent, definition: AnyAgent, name: string | undefined): void {
    const { kernel, task } = this.#parts;
    const bell = kernel.notification();
    const program = ((sys: Sys, ownBell: Handle) => {
      this.sys = sys;
      agent.ownBell = ownBell;
      return agent;
    }) as unknown as Program;
    const more = task === undefined ? undefined : task(definition);
    const give = [bell];
    try {
      if (name === undefined && more === undefined) agent.task = kernel.spawn(program, { give });
      else
        agent.task = kernel.spawn(program, {
          ...more,
          give,
          name: `${definition.name} ${name ?? ""}`.trim(),
        });
    } catch (error) {
      kernel.drop(bell);
      throw error;
    }
    agent.bell = bell;
  }

  /** A new id: 64 random bits of this system, or its place and 32, and a count. */
  newId(): string {
    if (this.#idBase === "") {
      this.#idBase = this.prefix === "" ? this.#word() : this.prefix;
      this.#idBase += this.#word();
    }
    const count = (++this.#made).toString(16);
    // Joined, not added: an id of two parts would keep both.
    return [this.#idBase, ZEROS[count.length]!, count].join("");
  }

  #word(): string {
    return this.#random.uint32().toString(16).padStart(8, "0");
  }

  /** Who is meant. */
  find(_speaker: LocalAgent, request: number, name: string): AgentRef | null | undefined {
    const found = this.names.get(name)?.ref;
    if (found !== undefined || this.remote === null) return found ?? null;
    return this.remote.find(_speaker, request, name);
  }

  spawn(
    speaker: LocalAgent,
    request: number,
    definition: AnyAgent,
    options: SpawnOptions,
  ): AgentRef | undefined {
    if (this.remote !== null) return this.remote.spawn(speaker, request, definition, options);
    if (options.on !== undefined)
      throw new PlaceUnknownError(options.on, "the system has one place, this thread");
    return this.make(definition, options, { parent: options.detached === true ? undefined : speaker.ref })
      .ref;
  }

  ended(agent: LocalAgent, reason: StopReason, error: unknown): void {
    const { ref } = agent;
    this.#traced?.ended(ref.id);
    this.#alarms.cancel(agent);
    this.agents.delete(ref.id);
    if (ref.name !== undefined && this.names.get(ref.name) === agent) this.names.delete(ref.name);
    if (agent.bell !== NONE) this.#parts.kernel.drop(agent.bell);
    agent.bell = NONE;
    this.remote?.ended(agent, reason, error);
    for (const listener of this.endListeners) listener({ ref, reason, error });
    if (this.agents.size === 0) this.closing?.();
  }

  // Messages

  send(speaker: LocalAgent, to: AgentTarget, envelope: AgentEnvelope): Sent {
    if (this.#traced !== null) return this.#sendTraced(this.#traced, speaker, to, envelope);
    if (to === speaker.lastTo && !speaker.last!.over) return speaker.last!.deliver(envelope);
    const agent = this.#known(to);
    if (agent === undefined)
      return this.remote === null ? "unknown" : this.remote.send(speaker, to, envelope);
    if (typeof to === "object") {
      speaker.lastTo = to;
      speaker.last = agent;
    }
    return agent.deliver(envelope);
  }

  #sendTraced(traced: TracedEnvelopes, speaker: LocalAgent, to: AgentTarget, envelope: AgentEnvelope): Sent {
    const agent = this.#known(to);
    return traced.sent(to, envelope, (left) => {
      if (agent !== undefined) return traced.taken(agent.ref.id, left, (came) => agent.deliver(came));
      return this.remote === null ? "unknown" : this.remote.send(speaker, to, left);
    });
  }

  /** Nobody waits for an answer any more, says who asked. */
  unanswered(agent: LocalAgent, correlation: number, code: string): void {
    this.#traced?.unanswered(agent.ref.id, correlation, code);
  }

  /** Only within a turn, where nobody traces, and where no task is made specially: what an agent does counts for its own task then (LA3 of `local-agent.ts`). */
  ask(speaker: LocalAgent, to: AgentTarget, envelope: AgentEnvelope): Sent {
    if (
      this.speaking === speaker &&
      this.atOnce > 0 &&
      this.#parts.task === undefined &&
      this.#traced === null
    ) {
      const known = to === speaker.lastTo && !speaker.last!.over ? speaker.last! : this.#known(to);
      if (known?.answerNow(envelope) === true) {
        this.atOnce--;
        return "taken";
      }
    }
    return this.send(speaker, to, envelope);
  }

  #known(to: AgentTarget): LocalAgent | undefined {
    return typeof to === "string" ? this.names.get(to) : this.agents.get(to.id);
  }

  /** Deliver what came from another thread. Gives the error envelope for who asked, when it was not taken. */
  deliver(to: string, envelope: AgentEnvelope): AgentEnvelope | undefined {
    const agent = this.agents.get(to) ?? this.names.get(to);
    const sent = agent === undefined ? "unknown" : this.#give(agent, envelope);
    if (envelope.kind !== "ask" || sent === "taken" || sent === "pressured") return undefined;
    const error =
      sent === "full" ? new AgentMailboxFullError(to, MAILBOX_CAPACITY) : new UnknownAgentError(to);
    return {
      kind: "error",
      from: undefined,
      correlation: envelope.correlation,
      message: "",
      input: error.toRecord(),
    };
  }

  #give(agent: LocalAgent, envelope: AgentEnvelope): Sent {
    if (this.#traced === null) return agent.deliver(envelope);
    return this.#traced.taken(agent.ref.id, envelope, (came) => agent.deliver(came));
  }

  wake(agent: LocalAgent): void {
    // An agent with a hook `start` wakes while it is being made, before it has a bell: its task begins by itself.
    if ((agent.bell ?? NONE) !== NONE) this.#parts.kernel.signal(agent.bell);
  }

  // Topics

  subscribe(agent: LocalAgent, topic: string): void {
    const subscribers = this.#topics.get(topic);
    if (subscribers === undefined) this.#topics.set(topic, new Set([agent]));
    else subscribers.add(agent);
  }

  unsubscribe(agent: LocalAgent, topic: string): void {
    const subscribers = this.#topics.get(topic);
    if (subscribers?.delete(agent) === true && subscribers.size === 0) this.#topics.delete(topic);
  }

  publish(speaker: LocalAgent, topic: string, envelope: AgentEnvelope): void {
    if (this.#traced === null) this.#publish(speaker, topic, envelope);
    else this.#traced.sent(topic, envelope, (left) => this.#publish(speaker, topic, left));
  }

  #publish(speaker: LocalAgent, topic: string, envelope: AgentEnvelope): Sent {
    this.publishHere(topic, envelope);
    this.remote?.publish(speaker, topic, envelope);
    return "taken";
  }

  /** Deliver to the subscribers of this thread. Who has no room misses it, counted. */
  publishHere(topic: string, envelope: AgentEnvelope): void {
    for (const agent of this.#topics.get(topic) ?? [])
      if (this.#give(agent, envelope) === "full") agent.dropped++;
  }

  // Time (LO2)

  setAlarm(agent: LocalAgent, delayMs: number): void {
    const before = this.#alarms.next;
    this.#alarms.cancel(agent);
    this.#alarms.set(agent, this.monotonicMs() + delayMs);
    if (!this.#ringing) this.#startRinging();
    else if (this.#alarms.next < before) this.#parts.kernel.signal(this.#alarmBell!);
  }

  #startRinging(): void {
    const { kernel } = this.#parts;
    this.#alarmBell ??= kernel.notification();
    const outside = this;
    const alarms = this.#alarms;
    kernel.spawn(
      function* ringer(sys, bell: Handle) {
        try {
          while (alarms.size > 0) {
            yield* sys.select([signalOf(bell), after(Math.max(0, alarms.next - outside.monotonicMs()))]);
            const now = outside.monotonicMs();
            for (let agent = alarms.expire(now); agent !== null; agent = alarms.expire(now)) agent.alarm();
          }
        } finally {
          outside.#ringing = false;
        }
      } as Program,
      { give: [this.#alarmBell], priority: "high", name: "agent alarms" },
    );
    this.#ringing = true;
  }

  monotonicMs(): number {
    return this.#parts.clock.monotonicMs();
  }

  wallMs(): number {
    return this.#parts.clock.wallMs();
  }

  uint32(): number {
    return this.#random.uint32();
  }

  log(agent: LocalAgent, level: LogLevel, message: string, fields: LogFields | undefined): void {
    const { id, name } = agent.ref;
    this.#parts.logger?.log(level, message, { ...fields, agent: name ?? id, kind: agent.definition.name });
  }
}
