/**
 * What a node does for one of its durable cells that talks to others, on the mesh thread (docs/spec/domain-cell.md, "Talking").
 *
 * DD1. A link goes on with the numbers that the cell gave its messages, and says up to which of them were accepted.
 * DD2. Nothing here is kept: the cell says all of it again when it begins to run, here or elsewhere.
 * DD3. Who has a name is asked until it is known. A find and a child that cannot be made are answered with the error.
 */
import { type AgentId, parseAgentId } from "@glia-os/abi/ids";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import type { CellChild, CellEffect, CellNote } from "@glia-os/cells/domain";
import { type AgentLinkEvents, type CarriedLink, HELD_MESSAGES, type OutgoingLink } from "@glia-os/mesh-core";
import { agentRecord } from "../agents/agent-words.ts";
import type { Family } from "../agents/desk.ts";

/** How soon a name is asked for again, and a child that cannot be made yet, in milliseconds. */
const NAME_AGAIN_MS = 500;
const CHILD_AGAIN_MS = 10;
const LINK_AGAIN_MS = 1000;

/** Who an agent is. */
export interface Found {
  readonly id: AgentId;
  readonly name: string;
}

/** What it works with. */
export interface DomainDeskParts {
  readonly agent: AgentId;
  readonly timers: Timers;
  /** Whose child it is, until it says so itself. */
  readonly family: Family;
  open(agent: AgentId, events: AgentLinkEvents, carried: CarriedLink): OutgoingLink;
  /** Rejects when that cannot be known now. */
  findName(name: string): Promise<AgentId | undefined>;
  subscribers(topic: string): Promise<ReadonlySet<AgentId>>;
  /** Make a child, once per key; undefined while that cannot be said. */
  spawn(child: CellChild, key: string): Promise<Found | undefined>;
  /** To the cell. */
  settled(link: string, upTo: number): void;
  noted(note: CellNote): void;
}

interface Line {
  readonly to: AgentId;
  readonly id: string;
  link: OutgoingLink | undefined;
  /** The number of the last message that the link has. */
  last: number;
  /** Messages behind that. */
  readonly waiting: Uint8Array[];
}

/** The desk of one cell. */
export class DomainDesk {
  readonly #parts: DomainDeskParts;
  readonly #lines = new Map<string, Line>();
  /** Links that broke, until the cell has heard of it: what it still says for them is lost with them. */
  readonly #broken = new Set<string>();
  readonly #pauses = new Set<TimerHandle>();
  #topics: ReadonlySet<string> = new Set();
  #family: Family;
  /** Answers to what was asked in an earlier life of the cell say nothing. */
  #life = 0;

  constructor(parts: DomainDeskParts) {
    this.#parts = parts;
    this.#family = parts.family;
  }

  get topics(): ReadonlySet<string> {
    return this.#topics;
  }

  get family(): Family {
    return this.#family;
  }

  /** The cell begins to run: nothing from before counts (DD2). */
  begin(effects: readonly CellEffect[]): void {
    this.stop();
    this.post(effects);
  }

  /** Do these, in their order. */
  post(effects: readonly CellEffect[]): void {
    for (const effect of effects) this.#do(effect);
  }

  /** The cell stands still, or goes on elsewhere: its links end here without a word. */
  stop(): void {
    this.#life += 1;
    for (const { link } of this.#lines.values()) link?.carryAway();
    this.#forget();
  }

  /** The cell is over: receivers may forget its links. */
  close(): void {
    this.#life += 1;
    for (const { link } of this.#lines.values()) link?.close();
    this.#forget();
  }

  #forget(): void {
    for (const pause of this.#pauses) pause.cancel();
    this.#pauses.clear();
    this.#lines.clear();
    this.#broken.clear();
  }

  #do(effect: CellEffect): void {
    switch (effect.effect) {
      case "send":
        this.#send(effect);
        return;
      case "line":
        this.#goOn(effect);
        return;
      case "close":
        this.#broken.delete(effect.link);
        this.#lines.get(effect.link)?.link?.close();
        this.#lines.delete(effect.link);
        return;
      case "topics":
        this.#topics = new Set(effect.topics);
        return;
      case "family":
        this.#family = { parent: effect.parent ?? this.#family.parent, children: effect.children };
        return;
      case "resolve":
        void this.#resolve(effect.name);
        return;
      case "who":
        void this.#who(effect.publication, effect.topic);
        return;
      case "find":
        void this.#answer(effect.request, this.#found(effect.name));
        return;
      default:
        void this.#answer(effect.request, this.#spawned(effect));
    }
  }

  // Links (DD1)

  #send({ to, link, seq, payload }: Extract<CellEffect, { effect: "send" }>): void {
    if (this.#broken.has(link)) return;
    const line = this.#lines.get(link) ?? this.#lineTo(to, link, seq - 1);
    line.waiting.push(payload);
    if (line.link === undefined) this.#open(line, []);
    this.#pump(line);
  }

  #goOn({ to, link, next, held }: Extract<CellEffect, { effect: "line" }>): void {
    if (held.length === 0) return; // It is opened with the next message.
    const first = held.slice(0, HELD_MESSAGES);
    const line = this.#lineTo(to, link, next - 1 - held.length + first.length);
    line.waiting.push(...held.slice(first.length));
    this.#open(line, first);
  }

  #lineTo(to: string, id: string, last: number): Line {
    const line: Line = { to: parseAgentId(to), id, link: undefined, last, waiting: [] };
    this.#lines.set(id, line);
    return line;
  }

  #open(line: Line, held: readonly Uint8Array[]): void {
    const carried = { agent: line.to, link: line.id, next: line.last + 1, attempts: 0, held };
    const events = { onProgress: () => this.#progress(line), onBroken: () => this.#break(line) };
    try {
      line.link = this.#parts.open(line.to, events, carried);
    } catch {
      // The node has no link to spare now.
      this.#later(LINK_AGAIN_MS, () => {
        if (this.#lines.get(line.id) !== line || line.link !== undefined) return;
        this.#open(line, held);
        this.#pump(line);
      });
    }
  }

  #pump(line: Line): void {
    for (let next = line.waiting[0]; next !== undefined && line.link !== undefined; next = line.waiting[0]) {
      // The link may say that it was accepted inside `offer`, so it counts first.
      line.last += 1;
      line.waiting.shift();
      if (line.link.offer(next)) continue;
      line.last -= 1;
      line.waiting.unshift(next);
      return;
    }
  }

  #progress(line: Line): void {
    if (line.link === undefined || this.#lines.get(line.id) !== line) return;
    this.#parts.settled(line.id, line.last - line.link.unacknowledged);
    this.#pump(line);
  }

  #break(line: Line): void {
    if (this.#lines.get(line.id) !== line) return;
    this.#lines.delete(line.id);
    this.#broken.add(line.id);
    // The cell knows what is lost with it.
    this.#parts.noted({ note: "broken", link: line.id, to: line.to, upTo: 0, lost: [] });
  }

  // Questions (DD3)

  async #resolve(name: string): Promise<void> {
    const life = this.#life;
    try {
      const agent = (await this.#parts.findName(name)) ?? null;
      if (life === this.#life) this.#parts.noted({ note: "named", name, agent, count: 0, lost: [] });
    } catch {
      if (life === this.#life) this.#later(NAME_AGAIN_MS, () => void this.#resolve(name));
    }
  }

  async #who(publication: number, topic: string): Promise<void> {
    const life = this.#life;
    const agents = [...(await this.#parts.subscribers(topic))];
    if (life === this.#life) this.#parts.noted({ note: "subscribers", publication, agents });
  }

  async #answer(request: number, work: Promise<unknown>): Promise<void> {
    const life = this.#life;
    let note: CellNote;
    try {
      note = { note: "answer", request, value: await work };
    } catch (error) {
      note = { note: "answer", request, error: agentRecord(error) };
    }
    if (life === this.#life) this.#parts.noted(note);
  }

  async #found(name: string): Promise<Found | null> {
    const id = await this.#parts.findName(name);
    return id === undefined ? null : { id, name };
  }

  async #spawned({ request, child }: Extract<CellEffect, { effect: "spawn" }>): Promise<Found> {
    for (;;) {
      const found = await this.#parts.spawn(child, `${this.#parts.agent}/${request}`);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#parts.timers.schedule(CHILD_AGAIN_MS, resolve));
    }
  }

  #later(ms: number, run: () => void): void {
    const pause = this.#parts.timers.schedule(ms, () => {
      this.#pauses.delete(pause);
      run();
    });
    this.#pauses.add(pause);
  }
}
