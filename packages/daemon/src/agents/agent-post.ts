/**
 * The outgoing messages of one sender: a link for each receiver, opened when it is needed and closed when it was idle.
 *
 * PO1. Messages to one receiver leave in the order of `send`, each once (docs/spec/links.md). What a link has no room for waits here.
 * PO2. `carryAway` ends every link here and gives everything that was not acknowledged; `takeUp` goes on with it elsewhere.
 * PO3. What cannot be delivered, because its receiver has ended or a link broke, is told once, message by message.
 * PO4. A link that carried nothing for {@link IDLE_MS} is closed: its receiver may forget it. No timer runs without an open link.
 * PO6. What ends a line is told, and what was accepted of it, to whoever keeps an account of lines; that may keep one from being idle.
 * PO5. With a `waitingMax`, messages of at most this weight wait for one receiver: the oldest is dropped for the next.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import type { AgentLinkEvents, CarriedLink, OutgoingLink } from "@glia-os/mesh-core";
import { weightOf, weightOfAll } from "./weight.ts";

/** How long a link may be idle. */
export const IDLE_MS = 30_000;

/** A receiver's part of what is carried away. */
export interface CarriedPost {
  readonly link: CarriedLink;
  /** What the link had no room for, oldest first. */
  readonly waiting: readonly Uint8Array[];
}

/** What a post needs. */
export interface AgentPostOptions {
  readonly timers: Timers;
  open(agent: AgentId, events: AgentLinkEvents, carried?: CarriedLink): OutgoingLink;
  /** Messages of so much weight are not held any more. */
  released(weight: number): void;
  /** These were not delivered (PO3). */
  lost(receiver: AgentId, payloads: readonly Uint8Array[], why: Error): void;
  /** Weight of what may wait for one receiver beside what its link holds. Default: as much as the sender may have. */
  readonly waitingMax?: number;
  /** One was dropped, because too many wait (PO5). */
  dropped?(receiver: AgentId): void;
  /** So many more were accepted (PO6). */
  progressed?(receiver: AgentId, count: number): void;
  /** Whether a line that carried nothing for long may end (PO6). Default: yes. */
  mayEnd?(receiver: AgentId): boolean;
  /** A line is forgotten: it broke, or it is idle and `close` ends it (PO6). Default: it is closed at once. */
  ended?(receiver: AgentId, close: () => void): void;
}

interface Line {
  readonly link: OutgoingLink;
  /** Messages handed to the link that it has not acknowledged, oldest first. */
  readonly sent: Uint8Array[];
  readonly waiting: Uint8Array[];
  /** The weight of what waits. */
  weight: number;
  used: boolean;
}

/** The post of one sender. */
export class AgentPost {
  readonly #options: AgentPostOptions;
  readonly #lines = new Map<AgentId, Line>();
  #sweep: TimerHandle | undefined;

  constructor(options: AgentPostOptions) {
    this.#options = options;
  }

  /** The weight of what is not acknowledged. */
  get held(): number {
    let held = 0;
    for (const { sent, waiting } of this.#lines.values()) held += weightOfAll(sent) + weightOfAll(waiting);
    return held;
  }

  /** Send a message (PO1). @throws {LinkLimitError} when the node has no link to spare */
  send(to: AgentId, payload: Uint8Array): void {
    const line = this.#lines.get(to) ?? this.#open(to, undefined, []);
    line.used = true;
    line.waiting.push(payload);
    line.weight += weightOf(payload);
    this.#pump(line);
    if (this.#options.waitingMax !== undefined) this.#dropOldest(to, line, this.#options.waitingMax);
  }

  /** PO5. One message alone may be heavier. */
  #dropOldest(to: AgentId, line: Line, most: number): void {
    while (line.weight > most && line.waiting.length > 1) {
      const weight = weightOf(line.waiting.shift() as Uint8Array);
      line.weight -= weight;
      this.#options.released(weight);
      this.#options.dropped?.(to);
    }
  }

  /** End every link here and give what another node needs to go on (PO2). */
  carryAway(): readonly CarriedPost[] {
    const carried = [...this.#lines.values()].map(({ link, waiting }) => ({
      link: link.carryAway(),
      waiting: [...waiting],
    }));
    this.#forget();
    return carried;
  }

  /** Go on with what was carried here (PO2). */
  takeUp(carried: readonly CarriedPost[]): void {
    for (const { link, waiting } of carried) this.#pump(this.#open(link.agent, link, waiting));
  }

  /** The sender has ended: close what is done and give up what is not. */
  close(): void {
    for (const { link } of this.#lines.values()) link.close();
    this.#forget();
  }

  #forget(): void {
    this.#lines.clear();
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }

  #open(to: AgentId, carried: CarriedLink | undefined, waiting: readonly Uint8Array[]): Line {
    const link = this.#options.open(
      to,
      {
        onProgress: () => this.#progress(to),
        onBroken: (error) => this.#broken(to, error),
      },
      carried,
    );
    const sent = [...(carried?.held ?? [])];
    const line: Line = { link, sent, waiting: [...waiting], weight: weightOfAll(waiting), used: true };
    this.#lines.set(to, line);
    this.#sweep ??= this.#options.timers.schedule(IDLE_MS, () => this.#closeIdle());
    return line;
  }

  #pump(line: Line): void {
    for (let next = line.waiting[0]; next !== undefined; next = line.waiting[0]) {
      // The link may acknowledge or break inside `offer`, so what it takes is noted first.
      line.waiting.shift();
      line.weight -= weightOf(next);
      line.sent.push(next);
      if (line.link.offer(next)) continue;
      line.sent.pop();
      line.waiting.unshift(next);
      line.weight += weightOf(next);
      return;
    }
  }

  #progress(to: AgentId): void {
    const line = this.#lines.get(to);
    if (line === undefined) return;
    const done = line.sent.length - line.link.unacknowledged;
    if (done <= 0) return;
    this.#options.progressed?.(to, done);
    this.#options.released(weightOfAll(line.sent.splice(0, done)));
    this.#pump(line);
  }

  #broken(to: AgentId, why: Error): void {
    const line = this.#lines.get(to);
    this.#lines.delete(to);
    if (line === undefined) return;
    this.#options.ended?.(to, () => undefined);
    const payloads = [...line.sent, ...line.waiting];
    if (payloads.length === 0) return;
    this.#options.released(weightOfAll(payloads));
    this.#options.lost(to, payloads, why);
  }

  #closeIdle(): void {
    this.#sweep = undefined;
    for (const [to, line] of this.#lines) {
      if (!line.used && line.sent.length === 0 && line.waiting.length === 0) this.#endIdle(to, line);
      line.used = false;
    }
    if (this.#lines.size > 0) this.#sweep = this.#options.timers.schedule(IDLE_MS, () => this.#closeIdle());
  }

  #endIdle(to: AgentId, { link }: Line): void {
    if (this.#options.mayEnd?.(to) === false) return;
    this.#lines.delete(to);
    if (this.#options.ended === undefined) link.close();
    else this.#options.ended(to, () => link.close());
  }
}
