/**
 * Agents on a simulated network, each on a node of its own: envelopes take their time, overtake each other between different pairs, and get lost.
 *
 * SA1. Everything is drawn from one source of chance and happens on one clock: a seed repeats a run.
 * SA2. Envelopes of one agent to another arrive in the order they were sent, as over a link; what is lost is lost for good.
 * SA3. An envelope to an agent that is gone is answered with `agent.unknown-agent` where it asked.
 */
import { toHex } from "@glia-os/abi/ids";
import type { Clock, LogFields, LogLevel, Random, TimerHandle, Timers } from "@glia-os/abi/ports";
import { AgentProcess } from "../agent/agent-process.ts";
import { recordOf } from "../agent/error-record.ts";
import {
  type AgentEnvelope,
  type AgentOutside,
  type AgentRef,
  type AgentTarget,
  type AnyAgent,
  type Sent,
  type SpawnOptions,
  UnknownAgentError,
} from "../agent/index.ts";

/** What a simulation is made with. */
export interface SimulatedAgentsOptions {
  readonly time: Clock & Timers;
  readonly random: Random;
  /** How long an envelope takes in milliseconds; undefined loses it. Default: 5 ms, and 20 ms on the average on top. */
  delayMs?(random: Random, from: AgentRef, to: AgentRef): number | undefined;
}

/** A line that an agent logged. */
export interface SimulatedLogLine {
  readonly agent: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** Agents and the network between them. */
export class SimulatedAgents implements AgentOutside<AgentProcess> {
  /** Lines logged, oldest first; 10,000 at most. */
  readonly lines: SimulatedLogLine[] = [];
  /** Envelopes sent, and those among them that were lost. */
  sent = 0;
  lost = 0;
  readonly #o: SimulatedAgentsOptions;
  readonly #random: Random;
  readonly #agents = new Map<string, AgentProcess>();
  readonly #names = new Map<string, AgentProcess>();
  readonly #topics = new Map<string, Set<AgentProcess>>();
  readonly #alarms = new Map<AgentProcess, TimerHandle>();
  /** When the last envelope between two agents arrives (SA2). */
  readonly #arrives = new Map<string, number>();
  #ready: AgentProcess[] = [];

  constructor(options: SimulatedAgentsOptions) {
    this.#o = options;
    this.#random = options.random.fork("simulated agents");
  }

  /** Make an agent from outside. */
  make(definition: AnyAgent, options: SpawnOptions = {}, parent?: AgentRef): AgentProcess {
    const { name, input } = options;
    const id = toHex(this.#random.bytes(new Uint8Array(16)));
    const ref = name === undefined ? { id } : { id, name };
    const process = new AgentProcess({ ref, definition, outside: this, parent, input });
    this.#agents.set(id, process);
    if (name !== undefined) this.#names.set(name, process);
    return process;
  }

  /** Send a message from nobody, at once. */
  tell(to: AgentRef, message: string, input?: unknown): void {
    this.#agents.get(to.id)?.deliver({ kind: "tell", from: undefined, correlation: 0, message, input });
  }

  send(speaker: AgentProcess, to: AgentTarget, envelope: AgentEnvelope): Sent {
    const receiver = typeof to === "string" ? this.#names.get(to) : this.#agents.get(to.id);
    if (receiver === undefined) return "unknown";
    this.#carry(speaker, receiver, envelope);
    return "taken";
  }

  wake(speaker: AgentProcess): void {
    if (this.#ready.push(speaker) === 1) this.#o.time.schedule(0, () => this.#work());
  }

  setAlarm(speaker: AgentProcess, delayMs: number): void {
    this.#alarms.get(speaker)?.cancel();
    this.#alarms.set(
      speaker,
      this.#o.time.schedule(delayMs, () => speaker.alarm()),
    );
  }

  spawn(speaker: AgentProcess, _request: number, definition: AnyAgent, options: SpawnOptions): AgentRef {
    return this.make(definition, options, options.detached === true ? undefined : speaker.ref).ref;
  }

  find(_speaker: AgentProcess, _request: number, name: string): AgentRef | null {
    return this.#names.get(name)?.ref ?? null;
  }

  subscribe(speaker: AgentProcess, topic: string): void {
    this.#topics.set(topic, (this.#topics.get(topic) ?? new Set()).add(speaker));
  }

  unsubscribe(speaker: AgentProcess, topic: string): void {
    this.#topics.get(topic)?.delete(speaker);
  }

  publish(speaker: AgentProcess, topic: string, envelope: AgentEnvelope): void {
    for (const subscriber of this.#topics.get(topic) ?? []) this.#carry(speaker, subscriber, envelope);
  }

  ended(speaker: AgentProcess): void {
    const { id, name } = speaker.ref;
    this.#agents.delete(id);
    if (name !== undefined) this.#names.delete(name);
    for (const subscribers of this.#topics.values()) subscribers.delete(speaker);
    this.#alarms.get(speaker)?.cancel();
    this.#alarms.delete(speaker);
  }

  log(speaker: AgentProcess, level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (this.lines.length < 10_000) this.lines.push({ agent: speaker.ref.id, level, message, fields });
  }

  monotonicMs(): number {
    return this.#o.time.monotonicMs();
  }

  wallMs(): number {
    return this.#o.time.wallMs();
  }

  uint32(): number {
    return this.#random.uint32();
  }

  #carry(from: AgentProcess, to: AgentProcess, envelope: AgentEnvelope): void {
    this.sent++;
    const { delayMs = usualDelayMs, time } = this.#o;
    const delay = from === to ? 0 : delayMs(this.#random, from.ref, to.ref);
    if (delay === undefined) {
      this.lost++;
      return;
    }
    const pair = `${from.ref.id} ${to.ref.id}`;
    const now = time.monotonicMs();
    const atMs = Math.max(now + delay, this.#arrives.get(pair) ?? 0);
    this.#arrives.set(pair, atMs);
    time.schedule(atMs - now, () => this.#arrive(from, to, envelope));
  }

  #arrive(from: AgentProcess, to: AgentProcess, envelope: AgentEnvelope): void {
    if (to.deliver(envelope) !== "unknown" || envelope.kind !== "ask") return;
    const input = recordOf(new UnknownAgentError(to.ref), envelope.message);
    const { correlation, message } = envelope;
    this.#carry(to, from, { kind: "error", from: to.ref, correlation, message, input });
  }

  #work(): void {
    const ready = this.#ready;
    this.#ready = [];
    for (const process of ready) if (process.run(64)) this.wake(process);
  }
}

/** What an envelope takes on the average beyond the least, times the natural logarithm of 2, in milliseconds. */
const SPREAD_MS = 20 * Math.LN2;

/**
 * One way of a round trip as in the mesh's own simulations: 5 ms, and 20 ms on the average on top, distributed exponentially but for straight
 * pieces between the powers of two, which need no logarithm.
 */
function usualDelayMs(random: Random): number {
  const chance = random.uint32();
  const halvings = Math.clz32(chance);
  const rest = ((chance << halvings) << 1) >>> 0;
  return 5 + SPREAD_MS * (halvings + 1 - rest / 0x1_0000_0000);
}
