/**
 * What an agent with a replica asked others for and is not done: a state that follows from its log alone (docs/spec/replica.md, "Outputs").
 *
 * OB1. The same state and the same entries give the same state and the same steps, at the owner and at the replica.
 * OB2. Acts are numbered through the life of the agent. The id of a link follows from the agent's key, its receiver and the number of the first act on it;
 *      messages of a link are numbered in the order of the acts. So whoever goes on sends each message under the name it had before.
 * OB3. A request is there until its answer is in the agent's mailbox, a publication until it is known who hears it, a message until it is accepted.
 */
import { createHash } from "node:crypto";
import { type AgentId, toHex } from "@glia-os/abi/ids";
import { isAgentId } from "@glia-os/cells/agent";
import type { LinkId } from "@glia-os/mesh-core";
import type { AgentAct } from "../agents/act.ts";
import { type Family, NAMES_MAX, TOPICS_MAX } from "../agents/desk.ts";
import { weightOf, weightOfAct, weightOfAll } from "../agents/weight.ts";
import { answerIn } from "./answer-in.ts";
import type { OutboxEvent, Queue } from "./outbox-event.ts";

/** Messages to one receiver that it has not accepted, as far as is known. */
export interface OutLine {
  readonly link: LinkId;
  /** The number of the first of them, or of the next. */
  base: number;
  /** Batches put on the wire when the line was carried last. */
  attempts: number;
  readonly queue: Uint8Array[];
}

/** A name that was sent to. */
export interface OutName {
  agent: AgentId | undefined;
  readonly waiting: { readonly ordinal: number; readonly payload: Uint8Array }[];
}

/** What is to be done now. */
export type Step =
  | {
      readonly kind: "send";
      readonly queue: Queue;
      readonly to: AgentId;
      readonly link: LinkId;
      readonly payload: Uint8Array;
    }
  | { readonly kind: "look-up"; readonly name: string }
  | { readonly kind: "request"; readonly ordinal: number; readonly act: Request }
  | { readonly kind: "lost"; readonly to: string; readonly payloads: readonly Uint8Array[] };

/** An act that is answered, or that takes asking around. */
export type Request = Extract<AgentAct, { readonly kind: "publish" | "find" | "spawn" }>;

/** All of a state, as it is written. */
export interface OutboxParts {
  readonly key: Uint8Array;
  readonly ordinal: number;
  readonly lines: Readonly<Record<Queue, ReadonlyMap<AgentId, OutLine>>>;
  readonly names: ReadonlyMap<string, OutName>;
  readonly topics: Iterable<string>;
  readonly family: Family;
  readonly requests: ReadonlyMap<number, Request>;
}

/** Bytes of the key of an agent. */
export const KEY_BYTES = 16;
const ID_BYTES = 16;
/** As a desk remembers them. */
const CHILDREN_MAX = 65_536;

/** One agent's. */
export class Outbox {
  readonly #key: Uint8Array;
  #ordinal: number;
  readonly #lines: Readonly<Record<Queue, Map<AgentId, OutLine>>>;
  readonly #names: Map<string, OutName>;
  readonly #topics: Set<string>;
  readonly #parent: string | undefined;
  readonly #children: Set<string>;
  readonly #requests: Map<number, Request>;

  constructor({ key, ordinal, lines, names, topics, family, requests }: OutboxParts) {
    this.#key = key;
    this.#ordinal = ordinal;
    this.#lines = { post: new Map(lines.post), news: new Map(lines.news) };
    this.#names = new Map(names);
    this.#topics = new Set(topics);
    this.#parent = family.parent;
    this.#children = new Set(family.children);
    this.#requests = new Map(requests);
  }

  /** Of an agent that asked for nothing yet; `key` is 16 random bytes. */
  static of(key: Uint8Array, family: Family): Outbox {
    const lines = { post: new Map(), news: new Map() };
    const none = { names: new Map(), topics: [], requests: new Map() };
    return new Outbox({ key, ordinal: 0, lines, family, ...none });
  }

  /** The state, to be written at once. */
  get parts(): OutboxParts {
    const family = { parent: this.#parent, children: [...this.#children] };
    const [lines, names, topics, requests] = [this.#lines, this.#names, this.#topics, this.#requests];
    return { key: this.#key, ordinal: this.#ordinal, lines, names, topics, family, requests };
  }

  get topics(): ReadonlySet<string> {
    return this.#topics;
  }

  get family(): Family {
    return this.parts.family;
  }

  /** The weight (weight.ts) of what counts against the agent. */
  get weight(): number {
    let weight = 0;
    for (const { queue } of this.#lines.post.values()) weight += weightOfAll(queue);
    for (const { waiting } of this.#names.values())
      for (const { payload } of waiting) weight += weightOf(payload);
    for (const act of this.#requests.values()) weight += weightOfAct(act);
    return weight;
  }

  /** Whether everything is done. */
  get idle(): boolean {
    const lines = [...this.#lines.post.values(), ...this.#lines.news.values()];
    const waits = [...this.#names.values()].some(({ waiting }) => waiting.length > 0);
    return this.#requests.size === 0 && !waits && lines.every(({ queue }) => queue.length === 0);
  }

  line(queue: Queue, to: AgentId): OutLine | undefined {
    return this.#lines[queue].get(to);
  }

  lines(queue: Queue): ReadonlyMap<AgentId, OutLine> {
    return this.#lines[queue];
  }

  /** What whoever goes on with a state has to begin with, beside its lines. */
  unfinished(): readonly Step[] {
    const names = [...this.#names].filter(([, { agent }]) => agent === undefined);
    const requests = [...this.#requests];
    return [
      ...names.map(([name]) => ({ kind: "look-up", name }) as const),
      ...requests.map(([ordinal, act]) => ({ kind: "request", ordinal, act }) as const),
    ];
  }

  /** An id that is always the same for an act of this agent: 32 hexadecimal characters. */
  idOf(what: string, ordinal: number, to = ""): string {
    const hash = createHash("sha256").update(this.#key).update(`${what}/${ordinal}/${to}`);
    return toHex(hash.digest().subarray(0, ID_BYTES));
  }

  /** The agent asked for these. */
  acts(acts: readonly AgentAct[]): readonly Step[] {
    return acts.flatMap((act) => this.#act(act, ++this.#ordinal));
  }

  #act(act: AgentAct, ordinal: number): readonly Step[] {
    switch (act.kind) {
      case "send":
        return isAgentId(act.to)
          ? [this.#put("post", act.to as AgentId, act.payload, ordinal)]
          : this.#toName(act.to, act.payload, ordinal);
      case "subscribe":
        if (this.#topics.size < TOPICS_MAX) this.#topics.add(act.topic);
        return [];
      case "unsubscribe":
        this.#topics.delete(act.topic);
        return [];
      default:
        this.#requests.set(ordinal, act);
        return [{ kind: "request", ordinal, act }];
    }
  }

  /** What was done about it. */
  event(event: OutboxEvent): readonly Step[] {
    switch (event.kind) {
      case "named":
        return this.#named(event.name, event.agent);
      case "closed":
        return this.#closed(event.queue, event.to);
      case "published":
        return event.ordinals.flatMap((ordinal) => this.#published(ordinal, event.to));
    }
  }

  /** A message is in the mailbox: the request that it answers, if it answers one (OB3). */
  accepted(payload: Uint8Array): Request | undefined {
    const answer = this.#requests.size === 0 ? undefined : answerIn(payload);
    if (answer === undefined) return undefined;
    for (const [ordinal, act] of this.#requests) {
      if (act.kind === "publish" || act.request !== answer.request) continue;
      this.#requests.delete(ordinal);
      if (act.kind === "spawn" && answer.child !== undefined && this.#children.size < CHILDREN_MAX)
        this.#children.add(answer.child);
      return act;
    }
    return undefined;
  }

  /** A receiver accepted so many messages more. */
  acknowledged(queue: Queue, to: AgentId, count: number): void {
    const line = this.#lines[queue].get(to);
    if (line === undefined) return;
    line.base += line.queue.splice(0, count).length;
  }

  #put(queue: Queue, to: AgentId, payload: Uint8Array, ordinal: number): Step {
    const link = this.idOf(queue, ordinal, to);
    const line = this.#lines[queue].get(to) ?? { link, base: 1, attempts: 0, queue: [] };
    this.#lines[queue].set(to, line);
    line.queue.push(payload);
    return { kind: "send", queue, to, link: line.link, payload };
  }

  #toName(name: string, payload: Uint8Array, ordinal: number): readonly Step[] {
    const known = this.#names.get(name);
    if (known?.agent !== undefined) {
      this.#names.delete(name);
      this.#names.set(name, known);
      return [this.#put("post", known.agent, payload, ordinal)];
    }
    const waits = { ordinal, payload };
    if (known !== undefined) {
      known.waiting.push(waits);
      return [];
    }
    this.#names.set(name, { agent: undefined, waiting: [waits] });
    return [{ kind: "look-up", name }];
  }

  #named(name: string, agent: AgentId | undefined): readonly Step[] {
    const entry = this.#names.get(name);
    if (entry === undefined || entry.agent !== undefined) return [];
    const waiting = entry.waiting.splice(0);
    if (agent === undefined) {
      this.#names.delete(name);
      return [{ kind: "lost", to: name, payloads: waiting.map(({ payload }) => payload) }];
    }
    entry.agent = agent;
    this.#forgetNames();
    return waiting.map(({ ordinal, payload }) => this.#put("post", agent, payload, ordinal));
  }

  /** Those that were sent to longest ago. */
  #forgetNames(): void {
    let many = this.#names.size - NAMES_MAX;
    for (const [name, { agent }] of this.#names) {
      if (many <= 0) return;
      if (agent !== undefined && this.#names.delete(name)) many--;
    }
  }

  #closed(queue: Queue, to: AgentId): readonly Step[] {
    const line = this.#lines[queue].get(to);
    if (line === undefined) return [];
    this.#lines[queue].delete(to);
    for (const [name, { agent }] of this.#names) if (agent === to) this.#names.delete(name);
    return line.queue.length === 0 ? [] : [{ kind: "lost", to, payloads: line.queue.splice(0) }];
  }

  #published(ordinal: number, receivers: readonly AgentId[]): readonly Step[] {
    const act = this.#requests.get(ordinal);
    if (act?.kind !== "publish") return [];
    this.#requests.delete(ordinal);
    return receivers.map((to) => this.#put("news", to, act.payload, ordinal));
  }
}
