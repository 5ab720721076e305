/**
 * The agents of a node as they talk to others: what they send, publish, look up and make (docs/spec/agents-service.md). On the mesh thread.
 *
 * AF1. Acts of one sender are done in the order in which they came; messages leave over links of the sender's own.
 * AF2. When a cell stands still to move, its desk is packed into its image; it goes on where the cell runs, and nowhere else.
 * AF3. What takes time (a name, a child) is answered by a message to whoever asked, wherever that is by then.
 * AF4. A message that cannot be delivered because there is nobody is told to an asker by an `error`, and otherwise logged.
 * AF5. A cell that ends without being able to say so (it failed, or was terminated) is told to its parent, and its children are ended.
 * AF6. Publications and requests count against their sender until they are handed over or answered. Of what the node itself sends, messages of the
 *      weight {@link OWN_WAITING} wait for one receiver at most, publications apart from the rest; then the oldest are dropped, counted and logged.
 */
import { type ErrorRecord, errorCodeOf, toErrorRecord } from "@glia-os/abi/errors";
import { type AgentId, parseAgentId } from "@glia-os/abi/ids";
import type { Clock, Logger, Random, Timers } from "@glia-os/abi/ports";
import {
  type AgentManifest,
  type CellBaggage,
  type CellGate,
  type CellLeft,
  decodeManifest,
  FORWARD_MS,
  OutcomeUnknownError,
} from "@glia-os/cells";
import { type AgentEnvelope, decodeEnvelope, encodeEnvelope, UnknownAgentError } from "@glia-os/cells/agent";
import {
  type AgentLinkEvents,
  type CarriedLink,
  type LinkMessage,
  type LinkVerdict,
  type Mesh,
  mailboxId,
  type OutgoingLink,
} from "@glia-os/mesh-core";
import type { NodeMessages } from "../otel/node-messages.ts";
import type { ChildIdentity } from "../replica/child-identity.ts";
import type { AgentAct, ChildRequest } from "./act.ts";
import { agentRecord } from "./agent-words.ts";
import { Desk, type DeskOptions, type Family } from "./desk.ts";
import { hostMessage, type Opening } from "./host-message.ts";
import { Mailboxes } from "./mailboxes.ts";
import { Publisher } from "./publisher.ts";
import { weightOfAct } from "./weight.ts";

/** An opening without what the node adds. `key`: the agent is made once, however often that is asked for with this key (domain/child-once.ts). */
export type Beginning = Omit<Opening, "self"> & { readonly key?: string };

/** What an office needs of its node. */
export interface AgentsOfficeParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  /** The spans of messages, where somebody traces. */
  readonly traced?: NodeMessages | undefined;
  /** So many messages of a cell are not held any more; `held`: how many are, for a cell that arrived. */
  released(agent: AgentId, count: number): void;
  held(agent: AgentId, count: number): void;
}

/** What an office needs once the node is a member. */
export interface AgentsOfficeMesh {
  readonly mesh: Mesh;
  readonly gate: Pick<CellGate, "describe">;
  /** Make an agent on a member or here; its id. */
  spawn(manifest: AgentManifest, on: string | undefined, beginning: Beginning): Promise<AgentId>;
}

/** Topics of an agent that left are remembered as long as its forwarding; most agents. */
const LEFT_MAX = 10_000;
/** Messages held for a mailbox above which its program waits. */
const PRESSURE = 512;
/** Weight (weight.ts) of the messages of the node itself that wait for one receiver. */
export const OWN_WAITING = 4096;
/** Of the messages that are dropped, how many a line in the log tells of. */
const DROPS_A_LINE = 1000;
const NAME_BYTES = 8;

/** The office of one node. */
export class AgentsOffice implements CellBaggage {
  readonly #parts: AgentsOfficeParts;
  readonly #desks = new Map<AgentId, Desk>();
  /** Cells that stand still to move, and cells that arrived and do not run yet: how their desk goes on. */
  readonly #still = new Map<AgentId, () => Desk>();
  readonly #left = new Map<AgentId, { readonly topics: ReadonlySet<string>; readonly untilMs: number }>();
  readonly #mailboxes: Mailboxes;
  readonly #room = new Map<AgentId, (() => void)[]>();
  #bound: AgentsOfficeMesh | undefined;
  #own: Desk | undefined;
  /** What was published, apart: it takes no answer's place. */
  #news: Desk | undefined;
  /** Publications and requests under way of programs outside, by weight (AF6). */
  readonly #underWay = new Map<AgentId, number>();
  #dropped = 0;
  #publisher: Publisher | undefined;
  #others: ((topic: string) => Iterable<AgentId>) | undefined;

  constructor(parts: AgentsOfficeParts) {
    this.#parts = parts;
    this.#mailboxes = new Mailboxes(parts.timers, (id) => this.#wake(id));
  }

  /** The node is a member: from now on messages leave. */
  bind(bound: AgentsOfficeMesh): void {
    this.#bound = bound;
    const own = new Desk(this.#deskOptions(undefined));
    this.#own = own;
    const news = new Desk(this.#deskOptions(undefined));
    this.#news = news;
    this.#publisher = new Publisher({
      mesh: bound.mesh,
      logger: this.#parts.logger,
      here: (topic) => this.#subscribers(topic),
      send: (to, payload) => news.send(to, payload),
      released: (sender, weight) => this.#done(sender, weight),
    });
  }

  close(): void {
    this.#mailboxes.closeAll();
    for (const desk of this.#desks.values()) desk.close();
    this.#desks.clear();
    this.#own?.close();
    this.#news?.close();
  }

  /** What a cell asked for (AF1). */
  acted(agent: AgentId, acts: readonly AgentAct[]): void {
    const desk = this.#deskOf(agent);
    for (const act of acts) this.#do(agent, desk, act);
  }

  /** A new cell has a parent. */
  began(agent: AgentId, parent: string | undefined): void {
    if (parent === undefined) return;
    this.#desks.set(agent, new Desk(this.#deskOptions(agent), [], { parent, children: [] }));
  }

  // What the desks of agents with replicas need (replica/recorded-office.ts)

  /** Agents of this node whose desks are elsewhere: who of them hears a topic. */
  alsoHear(others: (topic: string) => Iterable<AgentId>): void {
    this.#others = others;
  }

  /** Whose child an agent is whose desk will be elsewhere. */
  familyOf(agent: AgentId): Family {
    const family = this.#desks.get(agent)?.family;
    this.#desks.delete(agent);
    return family ?? { parent: undefined, children: [] };
  }

  /** Who hears a topic, on every member. */
  hearers(topic: string): Promise<ReadonlySet<AgentId>> {
    return this.#publisher?.subscribers(topic) ?? Promise.resolve(new Set());
  }

  /** A message of the node to an agent. */
  tell(agent: AgentId, payload: Uint8Array): void {
    this.#own?.send(agent, payload);
  }

  // Mailboxes of programs outside (AgentsApi)

  async openMailbox(): Promise<string> {
    const { random } = this.#parts;
    const id = mailboxId(this.#required().mesh.self, random);
    this.#mailboxes.open(id, new Desk(this.#deskOptions(id)));
    return id;
  }

  async closeMailbox(mailbox: string): Promise<void> {
    this.#mailboxes.close(parseAgentId(mailbox));
  }

  takeMail(mailbox: string, waitMs: number): Promise<readonly Uint8Array[]> {
    return this.#mailboxes.take(parseAgentId(mailbox), waitMs);
  }

  async actAs(mailbox: string, acts: readonly AgentAct[]): Promise<void> {
    const id = parseAgentId(mailbox);
    const desk = this.#mailboxes.desk(id);
    for (const act of acts) this.#do(id, desk, act);
    if (desk.held + (this.#underWay.get(id) ?? 0) < PRESSURE) return;
    await new Promise<void>((resolve) => {
      this.#room.set(id, [...(this.#room.get(id) ?? []), resolve]);
    });
  }

  /** A message for what is no cell: a mailbox, if there is one. */
  deliver(message: LinkMessage): LinkVerdict | undefined {
    return this.#mailboxes.deliver(message);
  }

  /** Ids on this node that hear what is published to a topic. */
  subscribers(topic: string): readonly AgentId[] {
    return [...this.#subscribers(topic)];
  }

  // What moves with cells (CellBaggage)

  pack(agent: AgentId): Uint8Array | undefined {
    const desk = this.#desks.get(agent);
    if (desk === undefined) return undefined;
    this.#desks.delete(agent);
    const { topics } = desk;
    const bytes = desk.pack();
    if (bytes !== undefined) this.#still.set(agent, Desk.unpack(bytes, this.#deskOptions(agent)));
    if (topics.size > 0) this.remember(agent, topics);
    return bytes;
  }

  stays(agent: AgentId): void {
    this.#goOn(agent);
  }

  stage(agent: AgentId, bytes: Uint8Array): void {
    this.#still.set(agent, Desk.unpack(bytes, this.#deskOptions(agent)));
  }

  runs(agent: AgentId): void {
    const desk = this.#goOn(agent);
    this.#parts.held(agent, desk?.held ?? 0);
  }

  gone(agent: AgentId, left: CellLeft): void {
    this.#still.delete(agent);
    const desk = this.#desks.get(agent);
    this.#desks.delete(agent);
    if (desk === undefined || left.kind === "moved" || left.kind === "discarded") return;
    if (left.kind !== "finished") this.tellFamily(agent, desk.family, left);
    desk.leave();
  }

  #goOn(agent: AgentId): Desk | undefined {
    const open = this.#still.get(agent);
    this.#still.delete(agent);
    if (open === undefined) return undefined;
    const desk = open();
    this.#desks.set(agent, desk);
    return desk;
  }

  /** AF5. */
  tellFamily(agent: AgentId, { parent, children }: Family, left: CellLeft): void {
    for (const child of children) this.#own?.send(child, hostMessage({ host: "stop" }));
    if (parent === undefined) return;
    const message = left.kind === "failed" ? left.message : "it was terminated";
    const error = endedRecord(agent, message);
    const input = left.kind === "failed" ? { reason: "failed", error } : { reason: "stopped" };
    const from = { id: agent };
    this.#own?.send(parent, encoded({ kind: "control", from, correlation: 0, message: "ended", input }));
  }

  /** Agents here that have children. */
  get parents(): number {
    let parents = 0;
    for (const { family } of this.#desks.values()) if (family.children.length > 0) parents++;
    return parents;
  }

  /** These are gone with their node: parents here hear of it (AF5). Children of an agent without a replica have none either. */
  lost(agents: readonly AgentId[]): void {
    for (const [parent, desk] of this.#desks)
      for (const child of agents)
        if (desk.bereft(child)) {
          const error = endedRecord(child, "its node is gone");
          const input = { reason: "lost", error };
          const from = { id: child };
          const ended = { kind: "control", from, correlation: 0, message: "ended", input } as const;
          this.#own?.send(parent, encoded(ended));
        }
  }

  /** Messages of the node itself that were dropped since it started, because too many waited for one receiver (AF6). */
  get dropped(): number {
    return this.#dropped;
  }

  #deskOf(agent: AgentId): Desk {
    const known = this.#desks.get(agent);
    if (known !== undefined) return known;
    const desk = new Desk(this.#deskOptions(agent));
    this.#desks.set(agent, desk);
    return desk;
  }

  #deskOptions(sender: AgentId | undefined): DeskOptions {
    return {
      timers: this.#parts.timers,
      open: (agent, events, carried) => this.openLink(agent, events, carried),
      findName: (name) => this.findName(name),
      released: (count) => {
        if (sender === undefined) return;
        this.#wake(sender);
        this.#parts.released(sender, count);
      },
      lost: (receiver, payloads) => {
        for (const payload of payloads) this.returned(sender, receiver, payload);
      },
      ...(sender === undefined
        ? { waitingMax: OWN_WAITING, dropped: (receiver: AgentId) => this.#drop(receiver) }
        : {}),
    };
  }

  #wake(sender: AgentId): void {
    const waiting = this.#room.get(sender);
    this.#room.delete(sender);
    for (const go of waiting ?? []) go();
  }

  /** AF6. */
  #drop(to: AgentId): void {
    if (this.#dropped++ % DROPS_A_LINE !== 0) return;
    const fields = { to, dropped: this.#dropped };
    this.#parts.logger.log(
      "warn",
      "messages of the node were dropped: too many wait for one receiver",
      fields,
    );
  }

  #began(sender: AgentId, weight: number): void {
    this.#underWay.set(sender, (this.#underWay.get(sender) ?? 0) + weight);
  }

  #done(sender: AgentId, weight: number): void {
    const left = (this.#underWay.get(sender) ?? 0) - weight;
    if (left > 0) this.#underWay.set(sender, left);
    else this.#underWay.delete(sender);
    this.#wake(sender);
    this.#parts.released(sender, weight);
  }

  /** A message was not delivered (AF4). */
  returned(sender: AgentId | undefined, receiver: string, payload: Uint8Array): void {
    const envelope = envelopeIn(payload);
    if (sender === undefined || envelope?.kind !== "ask") {
      const { kind, message } = envelope ?? {};
      this.#parts.logger.log("warn", "a message to nobody was dropped", { to: receiver, kind, message });
      return;
    }
    const input = toErrorRecord(new UnknownAgentError(receiver));
    const { correlation } = envelope;
    // As if it came from whom the ask went to: that is the only one from whom an answer counts.
    const from = /^[0-9a-f]{32}$/.test(receiver) ? { id: receiver } : undefined;
    this.#own?.send(sender, encoded({ kind: "error", from, correlation, message: "", input }));
  }

  #do(sender: AgentId, desk: Desk, act: AgentAct): void {
    switch (act.kind) {
      case "send":
        desk.send(act.to, act.payload);
        return;
      case "publish":
        this.#began(sender, weightOfAct(act));
        this.#publisher?.publish(sender, act.topic, act.payload);
        return;
      case "subscribe":
        desk.subscribe(act.topic);
        return;
      case "unsubscribe":
        desk.unsubscribe(act.topic);
        return;
      case "find":
        this.#answer(sender, act, this.found(act.name));
        return;
      case "spawn":
        this.#answer(sender, act, this.spawnChild(sender, act.spawn));
    }
  }

  /** AF3. */
  #answer(sender: AgentId, act: AgentAct & { readonly request: number }, work: Promise<unknown>): void {
    const { request } = act;
    const weight = weightOfAct(act);
    this.#began(sender, weight);
    const tell = (answer: { readonly value: unknown } | { readonly error: unknown }): void => {
      this.#own?.send(sender, hostMessage({ host: "answer", request, ...answer } as never));
      this.#done(sender, weight);
    };
    work.then(
      (value) => tell({ value }),
      (error: unknown) => tell({ error: agentRecord(error) }),
    );
  }

  /** Who has a name, for an agent. */
  async found(name: string): Promise<{ id: AgentId; name: string } | null> {
    const id = await this.findName(name);
    return id === undefined ? null : { id, name };
  }

  openLink(agent: AgentId, events: AgentLinkEvents, carried?: CarriedLink): OutgoingLink {
    const link = this.#required().mesh.part("links").openOutgoing(agent, events, carried);
    return this.#parts.traced?.link(agent, link) ?? link;
  }

  /** Who has a name. Rejects when that cannot be known now. */
  async findName(name: string): Promise<AgentId | undefined> {
    const { mesh } = this.#required();
    try {
      const row = await mesh.coordination.findAgent(name);
      return row?.status === "running" || row?.status === "suspended" ? row.agent : undefined;
    } catch (error) {
      const hint = mesh.parts().includes("registry")
        ? await mesh.part("registry").findByName(name)
        : undefined;
      if (hint === undefined) throw error;
      return hint.record.agent;
    }
  }

  /** Make a child; with an `identity`, one that may have been made before. @throws {OutcomeUnknownError} when that cannot be told */
  async spawnChild(
    parent: AgentId,
    request: ChildRequest,
    identity?: ChildIdentity,
  ): Promise<{ id: AgentId; name: string }> {
    const { gate, spawn } = this.#required();
    const described = gate.describe(parent);
    if (described === undefined) throw new UnknownAgentError(parent);
    const { definition, input, on } = request;
    const manifest = decodeManifest(described.meta);
    const name = request.name ?? this.#ownName(definition, identity?.suffix);
    const made =
      identity?.again === true && request.name === undefined ? await this.findName(name) : undefined;
    if (made !== undefined) return { id: made, name };
    const key = identity === undefined ? {} : { key: identity.suffix };
    const beginning = { definition, parent: { id: parent, name: manifest.name }, input, ...key };
    const id = await spawn({ ...manifest, name }, on, beginning).catch((error: unknown) => {
      // Somebody has the name: the child that was made before on another node, or somebody else.
      if (identity?.again !== true || errorCodeOf(error) !== "store.name-taken") throw error;
      throw new OutcomeUnknownError(`spawn of ${name}`);
    });
    this.#desks.get(parent)?.bore(id);
    return { id, name };
  }

  /** Make an agent on a member or here; its id. */
  spawnAs(manifest: AgentManifest, on: string | undefined, beginning: Beginning): Promise<AgentId> {
    return this.#required().spawn(manifest, on, beginning);
  }

  #ownName(definition: string, suffix?: string): string {
    const bytes = this.#parts.random.bytes(new Uint8Array(NAME_BYTES));
    const drawn = Buffer.from(bytes).toString("hex");
    return `${definition.slice(0, 40)}.${suffix?.slice(0, drawn.length) ?? drawn}`;
  }

  #subscribers(topic: string): ReadonlySet<AgentId> {
    const found = new Set<AgentId>([...this.#mailboxes.subscribers(topic), ...(this.#others?.(topic) ?? [])]);
    for (const [agent, { topics }] of this.#desks) if (topics.has(topic)) found.add(agent);
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [agent, { topics, untilMs }] of this.#left) {
      if (untilMs < nowMs) this.#left.delete(agent);
      else if (topics.has(topic)) found.add(agent);
    }
    return found;
  }

  /** Whoever asks during a move, or knows it by its former node, hears of its subscriptions all the same. */
  remember(agent: AgentId, topics: ReadonlySet<string>): void {
    this.#left.delete(agent);
    this.#left.set(agent, { topics, untilMs: this.#parts.clock.monotonicMs() + FORWARD_MS });
    for (const oldest of this.#left.keys()) {
      if (this.#left.size <= LEFT_MAX) break;
      this.#left.delete(oldest);
    }
  }

  #required(): AgentsOfficeMesh {
    if (this.#bound === undefined) throw new UnknownAgentError("before the node is a member");
    return this.#bound;
  }
}

function endedRecord(agent: AgentId, message: string): ErrorRecord {
  return { ...toErrorRecord(new UnknownAgentError(agent)), code: "agent.ended", message };
}

function encoded(envelope: AgentEnvelope): Uint8Array {
  return new TextEncoder().encode(encodeEnvelope(envelope));
}

function envelopeIn(payload: Uint8Array): AgentEnvelope | undefined {
  try {
    return decodeEnvelope(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}
