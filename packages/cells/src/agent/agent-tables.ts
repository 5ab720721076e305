/** What most agents never need: made on first use, so that an agent that only answers is small. */

import { ChildTable } from "./child-table.ts";
import { TICKETS_MAX, TOPICS_MAX, TURN_STEPS } from "./constants.ts";
import { TooManyError } from "./errors.ts";
import type { AnyAgent, StopReason } from "./kind.ts";
import type { MessageLog } from "./message-log.ts";
import type { PackedProcess } from "./packed-process.ts";
import type { PendingAsk } from "./pending-ask.ts";
import { ProfileMeter } from "./profile.ts";
import type { StreamSource } from "./stream.ts";
import { TimerTable } from "./timer-table.ts";
import type { HostRequest } from "./waiting.ts";

/** What of a packed agent belongs here. */
export type PackedTables = Pick<
  PackedProcess,
  "input" | "lastAsk" | "lastRequest" | "lastTimer" | "timers" | "children" | "topics"
>;

/** A new definition, and who hears how it went. */
export interface PendingUpgrade {
  readonly definition: AnyAgent;
  readonly done: (error: unknown) => void;
}

/** Tables of one agent. */
export class AgentTables {
  /** When the host is to call `alarm`; monotonic milliseconds. */
  alarmMs: number = Number.POSITIVE_INFINITY;
  /** An alarm will give asks their deadlines. */
  dating = false;
  /** Why it is to end. */
  stopping: StopReason | null = null;
  /** What it failed with. */
  error: unknown = undefined;
  /** Asks that were settled, counted. */
  settled = 0;
  log: MessageLog | null = null;
  /** Of the stream that is handled. */
  source: StreamSource | null = null;
  meter: ProfileMeter | null = null;
  /** Messages of one turn, from what the profile expects. */
  turnSteps: number = TURN_STEPS;
  /** The state before the message that is handled, when there is a contract. */
  before: unknown = undefined;
  /** A new definition that waits for its turn. */
  upgrade: PendingUpgrade | null = null;
  /** What the hook `start` gets. */
  input: unknown = undefined;
  #lastAsk = 0;
  #lastRequest = 0;
  /** The one ask that is under way, as long as it is one: the usual case, without a map. */
  #ask: PendingAsk | null = null;
  #asks: Map<number, PendingAsk> | null = null;
  #requests: Map<number, HostRequest> | null = null;
  #timers: TimerTable | null = null;
  #children: ChildTable | null = null;
  #topics: Map<string, string> | null = null;

  get timers(): TimerTable {
    return (this.#timers ??= new TimerTable());
  }

  get children(): ChildTable {
    return (this.#children ??= new ChildTable());
  }

  /** Topics this agent subscribes to, and the message each gives. */
  get topics(): Map<string, string> {
    return (this.#topics ??= new Map());
  }

  get profile(): ProfileMeter {
    return (this.meter ??= new ProfileMeter());
  }

  /** Subscribe. Returns whether the topic is new. @throws {TooManyError} */
  subscribe(topic: string, message: string): boolean {
    const isNew = !this.topics.has(topic);
    if (isNew && this.topics.size >= TOPICS_MAX) throw new TooManyError("topics of the agent", TOPICS_MAX);
    this.topics.set(topic, message);
    return isNew;
  }

  /** Keep an ask; gives it its id. @throws {TooManyError} */
  addAsk(ask: PendingAsk): void {
    if (this.#ask === null && (this.#asks === null || this.#asks.size === 0)) this.#ask = ask;
    else {
      this.#asks ??= new Map();
      if (this.#asks.size >= TICKETS_MAX) throw new TooManyError("asks of the agent under way", TICKETS_MAX);
      this.#asks.set(this.#lastAsk + 1, ask);
    }
    ask.id = ++this.#lastAsk;
  }

  findAsk(id: number): PendingAsk | undefined {
    const one = this.#ask;
    if (one !== null && one.id === id) return one;
    return this.#asks?.get(id);
  }

  removeAsk(ask: PendingAsk): void {
    if (this.#ask === ask) this.#ask = null;
    else this.#asks?.delete(ask.id);
  }

  /** All asks that are kept. */
  asks(): PendingAsk[] {
    const more = this.#asks === null ? [] : [...this.#asks.values()];
    return this.#ask === null ? more : [this.#ask, ...more];
  }

  /** Whether no ask is kept. */
  get noAsks(): boolean {
    return this.#ask === null && (this.#asks === null || this.#asks.size === 0);
  }

  /** Keep a request to the host. Returns its number. */
  addRequest(request: HostRequest): number {
    this.#requests ??= new Map();
    this.#requests.set(++this.#lastRequest, request);
    return this.#lastRequest;
  }

  takeRequest(id: number): HostRequest | undefined {
    const request = this.#requests?.get(id);
    this.#requests?.delete(id);
    return request;
  }

  /** When the earliest ask or timer is due. O(asks and timers). */
  nextDeadline(): number {
    let next = this.#timers?.nextMs ?? Number.POSITIVE_INFINITY;
    if (this.#ask !== null && !this.#ask.done) next = Math.min(next, this.#ask.deadlineMs);
    if (this.#asks !== null)
      for (const ask of this.#asks.values()) if (!ask.done) next = Math.min(next, ask.deadlineMs);
    return next;
  }

  /** Whether there are timers to look at. */
  get hasTimers(): boolean {
    return this.#timers !== null;
  }

  /** Addresses of children; none without a table. */
  get hasChildren(): boolean {
    return this.#children !== null;
  }

  /** What of them another interpreter goes on with, as of a time. */
  packed(nowMs: number): PackedTables {
    const { last: lastTimer, timers } = this.#timers?.packed(nowMs) ?? { last: 0, timers: [] };
    return {
      input: this.input,
      lastAsk: this.#lastAsk,
      lastRequest: this.#lastRequest,
      lastTimer,
      timers,
      children: this.#children?.packed(nowMs) ?? [],
      topics: [...(this.#topics ?? [])],
    };
  }

  /** Go on with those of another interpreter. */
  restore(packed: PackedTables, nowMs: number): void {
    this.input = packed.input;
    this.#lastAsk = packed.lastAsk;
    this.#lastRequest = packed.lastRequest;
    if (packed.lastTimer > 0) this.timers.restore(packed.lastTimer, packed.timers, nowMs);
    if (packed.children.length > 0) this.children.restore(packed.children, nowMs);
    for (const [topic, message] of packed.topics) this.topics.set(topic, message);
  }

  /** Forget timers and topics. Returns the topics. */
  clear(): string[] {
    const topics = this.#topics === null ? [] : [...this.#topics.keys()];
    this.#timers = null;
    this.#topics = null;
    this.source = null;
    this.#requests = null;
    return topics;
  }
}
