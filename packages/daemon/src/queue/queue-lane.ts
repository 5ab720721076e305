/**
 * The queued messages to one agent, and the link they go over (docs/spec/message-queue.md). Time, storage, links and where the agent is are ports.
 *
 * QL1. A message goes out only after the record of its number on the link is flushed. After a crash it goes out under the same number of the same
 *      link, so that the receiver's table knows what it has: each is applied once, in order.
 * QL2. Messages go out only while the agent's node is there, at most {@link OFFERED_MAX} and {@link OFFERED_BYTES} at a time: all others were
 *      certainly not applied.
 * QL3. One that is past its time is given up. Those that went out are given up together, when all are past their time, because their numbers have no
 *      gaps; they are in doubt.
 * QL4. The receiver is told that a link is over after the file knows that everything on it was delivered.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import type { AgentLinkEvents, CarriedLink, OutgoingLink } from "@glia-os/mesh-core";
import type { LostRecord, LostWhy, QueueRecord } from "./queue-record.ts";

/** Messages that are out at a time (QL2). */
export const OFFERED_MAX = 64;
/** Their bytes, unless a single one has more. */
export const OFFERED_BYTES: number = 4 * 1024 * 1024;
/** Looks for which a link without messages stays open. */
export const IDLE_LOOKS = 30;
/** A link that broke may have put this many batches on the wire since it was last asked. */
const ATTEMPTS_UNKNOWN = 1_000_000;

/** Where an agent is: on a node that is there, on one that is not or standing still, or nowhere any more. */
export type Whereabouts = "there" | "away" | "gone";

/** A message that is queued. */
export interface QueuedMessage {
  readonly id: number;
  readonly untilMs: number;
  readonly payload: Uint8Array;
  /** Its number on the link; 0 before it went out. */
  seq: number;
}

/** What a lane needs. */
export interface LanePorts {
  store(records: readonly QueueRecord[]): Promise<void>;
  open(agent: AgentId, events: AgentLinkEvents, carried: CarriedLink): OutgoingLink;
  newLink(): string;
  /** Milliseconds since 1970. */
  nowMs(): number;
  where(agent: AgentId): Promise<Whereabouts>;
  delivered(agent: AgentId, message: QueuedMessage): void;
  lost(record: LostRecord, message: QueuedMessage): void;
}

/** The messages to one agent. */
export class QueueLane {
  readonly agent: AgentId;
  readonly #ports: LanePorts;
  /** Oldest first; those that went out before the others. */
  #messages: QueuedMessage[] = [];
  #bytes = 0;
  #link: string | undefined;
  #next = 1;
  /** Messages at the front that the open link has. */
  #given = 0;
  #out: OutgoingLink | undefined;
  #attempts = 0;
  #idle = 0;
  #looking = false;
  #stored: Promise<void> = Promise.resolve();
  /** What the file has to know before anything more goes out: numbers are given once, also when they cannot be stored at first. */
  #unstored: QueueRecord[] = [];
  /** Records that could not be stored. */
  #owed: QueueRecord[] = [];

  constructor(agent: AgentId, ports: LanePorts) {
    this.agent = agent;
    this.#ports = ports;
  }

  get size(): number {
    return this.#messages.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Messages that went out and were not acknowledged. */
  get offered(): number {
    return this.#messages.findLastIndex(({ seq }) => seq > 0) + 1;
  }

  /** When the oldest was to be delivered at the latest; undefined when there is none. */
  get untilMs(): number | undefined {
    return this.#messages[0]?.untilMs;
  }

  /** Whether it has nothing to do and keeps no link. */
  get over(): boolean {
    return this.#messages.length === 0 && this.#link === undefined;
  }

  add(message: QueuedMessage): void {
    this.#messages.push(message);
    this.#bytes += message.payload.length;
    this.#idle = 0;
  }

  /** Take a message back that nobody was told is kept. False when it went out meanwhile. */
  takeBack(id: number): boolean {
    const message = this.#messages.find((one) => one.id === id);
    if (message === undefined || message.seq > 0) return false;
    this.#remove([message]);
    return true;
  }

  /** A record of the file, in order. */
  restore(record: QueueRecord): void {
    if (record.is === "kept") {
      const { id, untilMs, payload } = record;
      if (!this.#messages.some((one) => one.id === id)) this.add({ id, untilMs, payload, seq: 0 });
    } else if (record.is === "link") {
      this.#link = record.link;
      this.#next = record.next;
    } else if (record.is === "offered") {
      const message = this.#messages.find(({ id }) => id === record.id);
      if (message !== undefined) message.seq = record.seq;
      this.#next = Math.max(this.#next, record.seq + 1);
    } else if (record.is === "closed") this.#link = undefined;
    else this.#remove(this.#messages.filter(({ id }) => id === record.id));
  }

  /** Everything that is alive, as records. */
  records(): readonly QueueRecord[] {
    const { agent } = this;
    const kept = this.#messages.map(
      ({ id, untilMs, payload }) => ({ is: "kept", id, agent, untilMs, payload }) as const,
    );
    if (this.#link === undefined) return kept;
    const out = this.#messages.filter(({ seq }) => seq > 0);
    const offered = out.map(({ id, seq }) => ({ is: "offered", id, agent, seq }) as const);
    const next = this.#next;
    return [...kept, { is: "link", agent, link: this.#link, next }, ...offered];
  }

  /** Do what is to be done now. Not twice at a time. @throws what storage refuses; nothing went out then that was not recorded */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      this.#expire();
      if (this.#messages.length === 0) await this.#rest();
      else await this.#deliver();
    } finally {
      this.#looking = false;
    }
  }

  /** Give everything up. Returns how many messages that were. */
  drop(): number {
    const { size } = this;
    this.#cut(this.#messages, "dropped");
    return size;
  }

  /** The node stops: let go of the link; it goes on after the next start. */
  stop(): void {
    this.#pause();
  }

  async #deliver(): Promise<void> {
    const where = await this.#ports.where(this.agent);
    if (where === "gone") this.#cut(this.#messages, "no-agent");
    else if (where === "away") this.#pause();
    else await this.#offer();
  }

  /** QL1, QL2. */
  async #offer(): Promise<void> {
    const { agent } = this;
    if (this.#link === undefined) {
      this.#link = this.#ports.newLink();
      this.#next = 1;
      this.#unstored = [{ is: "link", agent, link: this.#link, next: 1 }];
    }
    const link = this.#link;
    for (const message of this.#fresh()) {
      message.seq = this.#next++;
      this.#unstored.push({ is: "offered", id: message.id, agent, seq: message.seq });
    }
    const records = this.#unstored;
    if (records.length > 0) await this.#ports.store(records);
    // If it broke meanwhile, the numbers are those of a link that is over.
    if (this.#link !== link) return;
    this.#unstored = this.#unstored.slice(records.length);
    this.#give();
  }

  /** Those that may go out now, beside those that are out. */
  #fresh(): readonly QueuedMessage[] {
    const { offered } = this;
    const fresh: QueuedMessage[] = [];
    let bytes = this.#messages.slice(0, offered).reduce((sum, { payload }) => sum + payload.length, 0);
    for (const message of this.#messages.slice(offered, OFFERED_MAX)) {
      bytes += message.payload.length;
      if (bytes > OFFERED_BYTES && offered + fresh.length > 0) break;
      fresh.push(message);
    }
    return fresh;
  }

  #give(): void {
    const { offered, agent } = this;
    const link = this.#link as string;
    if (this.#out === undefined) {
      const held = this.#messages.slice(0, offered).map(({ payload }) => payload);
      this.#given = offered;
      const carried = { agent, link, next: this.#next, attempts: this.#attempts, held };
      const events = { onProgress: () => this.#progress(), onBroken: (error: Error) => this.#broken(error) };
      this.#out = this.#ports.open(agent, events, carried);
      return;
    }
    for (const { payload } of this.#messages.slice(this.#given, offered)) {
      this.#given++;
      this.#out?.offer(payload);
    }
  }

  #progress(): void {
    const { agent } = this;
    const done = this.#messages.slice(0, this.#given - (this.#out?.unacknowledged ?? this.#given));
    if (done.length === 0) return;
    this.#given -= done.length;
    this.#remove(done);
    this.#note(done.map(({ id }) => ({ is: "delivered", id, agent }) as const));
    for (const message of done) this.#ports.delivered(agent, message);
    void this.look().catch(() => undefined); // What is left goes out at the next look.
  }

  #broken(error: Error): void {
    this.#out = undefined;
    this.#given = 0;
    this.#attempts += ATTEMPTS_UNKNOWN;
    // An agent that is not known may stand still, or its node be away: the next look finds out.
    if (errorCodeOf(error) === "mesh.link-broken")
      this.#cut(this.#messages.slice(0, this.offered), "link-broken");
  }

  /** QL3. */
  #expire(): void {
    const nowMs = this.#ports.nowMs();
    const { offered } = this;
    const isPast = ({ untilMs }: QueuedMessage): boolean => untilMs <= nowMs;
    const out = this.#messages.slice(0, offered);
    const past = this.#messages.slice(offered).filter(isPast);
    if (out.length > 0 && out.every(isPast)) past.unshift(...out);
    if (past.length > 0) this.#cut(past, "expired");
  }

  /** Give messages up; with those that went out their link ends. */
  #cut(messages: readonly QueuedMessage[], why: LostWhy): void {
    const { agent } = this;
    const atMs = this.#ports.nowMs();
    const gone = [...messages];
    const records: QueueRecord[] = [];
    for (const message of gone) {
      const record = { is: "lost", id: message.id, agent, why, inDoubt: message.seq > 0, atMs } as const;
      records.push(record);
      this.#ports.lost(record, message);
    }
    if (gone.some(({ seq }) => seq > 0)) {
      this.#pause();
      this.#link = undefined;
      this.#unstored = [];
      records.push({ is: "closed", agent });
    }
    this.#remove(gone);
    this.#note(records);
  }

  #remove(messages: readonly QueuedMessage[]): void {
    for (const { payload } of messages) this.#bytes -= payload.length;
    this.#messages = this.#messages.filter((one) => !messages.includes(one));
  }

  /** Records that nothing waits for: what they say is found out again after a crash. */
  #note(records: readonly QueueRecord[]): void {
    this.#stored = this.#ports.store(records).catch(() => void this.#owed.push(...records));
  }

  #pause(): void {
    if (this.#out === undefined) return;
    this.#attempts = this.#out.carryAway().attempts;
    this.#out = undefined;
    this.#given = 0;
  }

  /** QL4. */
  async #rest(): Promise<void> {
    if (this.#link === undefined || ++this.#idle < IDLE_LOOKS) return;
    await this.#stored;
    await this.#ports.store(this.#owed);
    this.#owed = [];
    if (this.#messages.length > 0) return;
    this.#out?.close();
    this.#out = undefined;
    this.#given = 0;
    this.#link = undefined;
    await this.#ports.store([{ is: "closed", agent: this.agent }]);
  }
}
