/**
 * The sending end of a link: go-back-N towards wherever the agent is (docs/spec/links.md).
 *
 * LS1. Numbers are given from 1 without gaps, in the order of `offer`. What is not acknowledged is kept and sent again.
 * LS2. In flight are at most {@link WINDOW_MESSAGES} messages and {@link WINDOW_BYTES}; held at most {@link HELD_MESSAGES} and
 *      {@link HELD_BYTES}: beyond that `offer` refuses until `onRoom`.
 * LS3. After Moved, a gap, a timeout or a lost peer it goes back to the first unacknowledged message. At most one go-back per answer to
 *      something sent after the last one, so reordering causes no storm.
 * LS4. It never skips or renumbers: an answer that contradicts what was acknowledged breaks the link instead.
 * LS5. What still waits in this node's own queue towards the owner is not lost: nothing is put behind it, and no timeout sends it again,
 *      until the queue has drained (`congested`, `uncongested`).
 * LS6. A receiver without room (`retry`) is asked with one message; each acknowledged answer doubles the window again (slow start, RFC 5681
 *      section 3.1, in messages). So a slow agent costs probes, not copies of the whole window.
 * LS7. An ask is complete when its reply arrived; until then it is sent again from time to time and the receiver repeats the reply.
 * LS8. At most {@link BATCHES_IN_FLIGHT} batches that are not full are in flight: what is offered meanwhile gathers into the next one, which
 *      leaves with the next acknowledgement, or as soon as it is full. So a fast sender pays for few envelopes and a slow one never waits (the
 *      rule of RFC 896 for one small segment, for more of them).
 * LS9. A link of an agent without asks can be carried away: what `carried` gives is all of it, and the sender made of it goes on with the same
 *      number of the same link. Whoever carries it stops the one it left.
 * LS11. A pause that a node asked for ends when that node says unasked that the agent is there now.
 * LS10. Without progress for longer than {@link LOOK_AGAIN_MS} it asks at every timeout where the agent is, for its node may be gone without a word.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import { AgentUnknownError, LinkBrokenError } from "../errors.ts";
import { ASKS_MAX, type LinkId } from "./link-table.ts";
import { BATCH_BYTES_MAX, BATCH_MESSAGES_MAX, type LinkAck, type LinkData } from "./messages.ts";

/** Messages in flight. */
export const WINDOW_MESSAGES = 512;
/** Batches in flight that are not full (LS8). */
export const BATCHES_IN_FLIGHT = 16;
/** Bytes in flight, unless a single message is larger. */
export const WINDOW_BYTES = 4_194_304;
/** Messages held, in flight or waiting. */
export const HELD_MESSAGES = 1024;
/** Bytes held. */
export const HELD_BYTES = 8_388_608;
/** First retransmission timeout; doubles up to {@link RETRANSMIT_MAX_MS} without progress. Milliseconds. */
export const RETRANSMIT_MS = 400;
/** Without progress for longer than this, coordination is asked where the agent is (LS10). Milliseconds. */
export const LOOK_AGAIN_MS = 1000;
/** Longest retransmission timeout, in milliseconds. */
export const RETRANSMIT_MAX_MS = 3000;
const RESOLVE_RETRY_MS = 100;

/** What came of asking where the agent is. */
export type Resolution = { readonly owner: NodeId } | "gone" | "unknown";

/** A link on its way: what was not acknowledged, and the number the next message gets (LS9). */
export interface CarriedLink {
  readonly agent: AgentId;
  readonly link: LinkId;
  /** 1 or more. */
  readonly next: number;
  /** Batches put on the wire so far: an answer to one of these says nothing of where the link is now. */
  readonly attempts: number;
  /** The messages numbered up to `next - 1`, oldest first; at most {@link HELD_MESSAGES}. */
  readonly held: readonly Uint8Array[];
}

/** What a sender needs. */
export interface LinkSenderOptions {
  readonly agent: AgentId;
  readonly link: LinkId;
  readonly timers: Timers;
  /** Send a batch; `attempt` comes back with its answer. */
  transmit(owner: NodeId, attempt: number, data: LinkData): void;
  /** Whether so much waits for this node that nothing should be added (LS5). */
  congested(owner: NodeId): boolean;
  /** Where the agent is, from the cache if `fresh` is false. Answers once, now or later. */
  resolve(fresh: boolean, answer: (resolution: Resolution) => void): void;
  /** `offer` may succeed again. */
  onRoom(): void;
  /** More was acknowledged. */
  onProgress(): void;
  /** The link is over; nothing more happens. */
  onBroken(error: Error): void;
}

interface Held {
  readonly seq: number;
  readonly ask: boolean;
  readonly payload: Uint8Array;
}

interface Ask extends Held {
  readonly complete: (reply: Uint8Array) => void;
}

/** The machine. */
export class LinkSender {
  readonly #o: LinkSenderOptions;
  /** Unacknowledged, oldest first: `#held[i].seq === #base + i`. */
  #held: Held[] = [];
  #heldBytes = 0;
  readonly #asks = new Map<number, Ask>();
  #base = 1;
  #next = 1;
  /** The last number of each batch in flight, oldest first (LS8). */
  #flying: number[] = [];
  #flyingBytes = 0;
  /** The next number to put on the wire. */
  #cursor = 1;
  #owner: NodeId | undefined;
  #resolving = false;
  #fresh = false;
  #attempt = 0;
  /** Answers to attempts up to this one say nothing new about gaps (LS3). */
  #wentBackAt = 0;
  /** Attempts after this one were made knowing the current base (LS4). */
  #baseKnownAt = 0;
  #waitMs = RETRANSMIT_MS;
  #timer: TimerHandle | undefined;
  #pause: TimerHandle | undefined;
  /** Messages that may be in flight now (LS6). */
  #window = WINDOW_MESSAGES;
  #resent = 0;
  #highest = 0;
  #over = false;

  /** With `carried` it goes on with that link (LS9), at {@link LinkSender.wake}. */
  constructor(options: LinkSenderOptions, carried?: CarriedLink) {
    this.#o = options;
    if (carried === undefined) return;
    this.#next = carried.next;
    this.#base = carried.next - carried.held.length;
    this.#cursor = this.#base;
    this.#highest = this.#next - 1;
    this.#attempt = carried.attempts;
    this.#wentBackAt = carried.attempts;
    this.#baseKnownAt = carried.attempts;
    this.#held = carried.held.map((payload, index) => ({ seq: this.#base + index, ask: false, payload }));
    for (const { payload } of this.#held) this.#heldBytes += payload.length;
  }

  /** Send what a carried link brought. */
  wake(): void {
    this.#pump();
  }

  /** The link as data, for whoever carries it away (LS9). */
  carried(): CarriedLink {
    const { agent, link } = this.#o;
    const attempts = this.#attempt;
    return { agent, link, next: this.#next, attempts, held: this.#held.map(({ payload }) => payload) };
  }

  /** Given, acknowledged, sent again, asks without reply. */
  stats(): { sent: number; acknowledged: number; resent: number; awaiting: number } {
    const sent = this.#next - 1;
    return { sent, acknowledged: this.#base - 1, resent: this.#resent, awaiting: this.#asks.size };
  }

  /** Whether everything given so far is acknowledged. */
  get drained(): boolean {
    return this.#base === this.#next;
  }

  /** The node the agent is thought to be on. */
  get owner(): NodeId | undefined {
    return this.#owner;
  }

  /** Take a message; its number, or 0 when there is no room (LS2). With `complete` it is an ask. */
  offer(payload: Uint8Array, complete?: (reply: Uint8Array) => void): number {
    if (this.#over || this.#held.length >= HELD_MESSAGES) return 0;
    if (this.#held.length > 0 && this.#heldBytes + payload.length > HELD_BYTES) return 0;
    if (complete !== undefined && this.#asks.size >= ASKS_MAX) return 0;
    const seq = this.#next++;
    const held = { seq, ask: complete !== undefined, payload };
    this.#held.push(held);
    this.#heldBytes += payload.length;
    if (complete !== undefined) this.#asks.set(seq, { ...held, complete });
    this.#pump();
    return seq;
  }

  /** Nobody waits for the reply to this ask any more. */
  abandon(seq: number): void {
    this.#asks.delete(seq);
  }

  /** The answer to `attempt`; 0 for an answer nobody asked for, such as a pushed reply. */
  acknowledged(attempt: number, { next, status, replies }: LinkAck): void {
    if (this.#over) return;
    for (const { seq, payload } of replies) this.#replied(seq, payload);
    if (next > this.#next) {
      this.#break(new LinkBrokenError(this.#o.agent, `it acknowledges ${next - 1}, which was never sent`));
      return;
    }
    if (next > this.#base) this.#advance(next);
    if (status.kind === "moved") this.#told(attempt, status.owner);
    else if (status.kind === "retry") this.#noRoom(attempt, status.retryAfterMs);
    else if (status.kind === "unknown-agent") this.#lost();
    else if (status.kind !== "ok") this.#behind(attempt, next);
    this.#pump();
  }

  /** The agent is on that node now: what is not acknowledged goes there. */
  moved(owner: NodeId): void {
    if (this.#over || owner === this.#owner) return;
    this.#waitMs = RETRANSMIT_MS;
    this.#redirect(owner);
    this.#timer?.cancel();
    this.#timer = undefined;
    const waiting = [...this.#asks.values()].filter(({ seq }) => seq < this.#base);
    for (const ask of waiting) this.#put(owner, [ask]);
    this.#pump();
  }

  /** A node cannot be reached, or its session ended. */
  peerLost(node: NodeId): void {
    if (this.#over || this.#owner !== node) return;
    this.#lost();
  }

  /** There is no such agent any more. */
  gone(): void {
    if (!this.#over) this.#break(new AgentUnknownError(this.#o.agent));
  }

  /** What waited for a node has been sent: go on putting (LS5). */
  uncongested(node: NodeId): void {
    if (!this.#over && this.#owner === node) this.#pump();
  }

  /** End without a word. */
  stop(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#pause?.cancel();
    this.#held = [];
    this.#asks.clear();
  }

  #advance(next: number): void {
    const done = this.#held.splice(0, next - this.#base);
    for (const { seq, payload } of done) {
      this.#heldBytes -= payload.length;
      if (seq < this.#cursor) this.#flyingBytes -= payload.length;
    }
    const left = this.#flying.findIndex((last) => last >= next);
    this.#flying.splice(0, left < 0 ? this.#flying.length : left);
    this.#base = next;
    this.#cursor = Math.max(this.#cursor, next);
    this.#baseKnownAt = this.#attempt;
    this.#waitMs = RETRANSMIT_MS;
    this.#window = Math.min(WINDOW_MESSAGES, this.#window * 2);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#o.onProgress();
    this.#o.onRoom();
  }

  #replied(seq: number, payload: Uint8Array): void {
    const ask = this.#asks.get(seq);
    if (ask === undefined) return;
    this.#asks.delete(seq);
    ask.complete(payload);
  }

  /** Who says unasked that the agent is there may be the node itself, where it has just begun to run: no reason to wait any longer (LS11). */
  #told(attempt: number, owner: NodeId): void {
    if (attempt === 0 && owner === this.#owner && this.#pause !== undefined) {
      this.#pause.cancel();
      this.#pause = undefined;
    }
    this.#redirect(owner);
  }

  #redirect(owner: NodeId): void {
    if (owner === this.#owner) return;
    this.#owner = owner;
    this.#pause?.cancel();
    this.#pause = undefined;
    this.#goBack();
  }

  /** Answers to messages sent before the last go-back say nothing new (LS3). */
  #noRoom(attempt: number, retryAfterMs: number): void {
    if (attempt <= this.#wentBackAt) return;
    this.#window = 1;
    this.#hold(retryAfterMs);
  }

  #hold(retryAfterMs: number): void {
    this.#pause?.cancel();
    this.#goBack();
    this.#pause = this.#o.timers.schedule(retryAfterMs, () => {
      this.#pause = undefined;
      this.#pump();
    });
  }

  /** The owner is not what it seemed: ask coordination, not the cache, after a pause. */
  #lost(): void {
    this.#owner = undefined;
    this.#fresh = true;
    this.#hold(RESOLVE_RETRY_MS);
  }

  /** A gap or stale answer (LS3, LS4). */
  #behind(attempt: number, next: number): void {
    if (next < this.#base) {
      if (attempt <= this.#baseKnownAt) return;
      this.#break(
        new LinkBrokenError(this.#o.agent, `it expects ${next} after acknowledging ${this.#base - 1}`),
      );
      return;
    }
    if (attempt > this.#wentBackAt) this.#goBack();
  }

  #goBack(): void {
    this.#cursor = this.#base;
    this.#flying = [];
    this.#flyingBytes = 0;
    this.#wentBackAt = this.#attempt;
  }

  #break(error: Error): void {
    this.stop();
    this.#o.onBroken(error);
  }

  #pump(): void {
    if (this.#over || this.#pause !== undefined) return;
    if (this.#base === this.#next && this.#asks.size === 0) return;
    const owner = this.#owner;
    if (owner === undefined) {
      this.#resolve();
      return;
    }
    while (!this.#gathering() && !this.#o.congested(owner)) {
      const batch = this.#nextBatch();
      if (batch.length === 0) break;
      this.#cursor += batch.length;
      this.#flying.push(this.#cursor - 1);
      for (const { payload } of batch) this.#flyingBytes += payload.length;
      this.#put(owner, batch);
      if (this.#over || this.#owner !== owner || this.#pause !== undefined) break;
    }
    this.#timer ??= this.#o.timers.schedule(this.#waitMs, () => this.#timedOut());
  }

  /** Whether what could be put now is better kept until more came or something was acknowledged (LS8). */
  #gathering(): boolean {
    if (this.#flying.length < BATCHES_IN_FLIGHT) return false;
    const sendable = Math.min(this.#held.length, this.#window) - (this.#cursor - this.#base);
    return sendable < BATCH_MESSAGES_MAX && this.#heldBytes - this.#flyingBytes < BATCH_BYTES_MAX;
  }

  #put(owner: NodeId, batch: readonly Held[]): void {
    const first = batch[0]?.seq ?? 0;
    for (const { seq } of batch) {
      if (seq <= this.#highest) this.#resent++;
      else this.#highest = seq;
    }
    const { agent, link } = this.#o;
    const data = { agent, link, floor: this.#floor(), firstSeq: first, messages: batch };
    this.#o.transmit(owner, ++this.#attempt, data);
  }

  #floor(): number {
    for (const seq of this.#asks.keys()) return Math.min(seq, this.#base);
    return this.#base;
  }

  #nextBatch(): Held[] {
    const batch: Held[] = [];
    let bytes = 0;
    const start = this.#cursor - this.#base;
    const end = Math.min(this.#held.length, this.#window, start + BATCH_MESSAGES_MAX);
    for (let i = start; i < end; i++) {
      const held = this.#held[i] as Held;
      const size = held.payload.length;
      if (batch.length > 0 && bytes + size > BATCH_BYTES_MAX) break;
      if (i > 0 && this.#flyingBytes + bytes + size > WINDOW_BYTES) break;
      batch.push(held);
      bytes += size;
    }
    return batch;
  }

  #timedOut(): void {
    this.#timer = undefined;
    if (this.#owner !== undefined && this.#o.congested(this.#owner)) {
      this.#timer = this.#o.timers.schedule(this.#waitMs, () => this.#timedOut());
      return;
    }
    this.#waitMs = Math.min(RETRANSMIT_MAX_MS, this.#waitMs * 2);
    if (this.#base < this.#next) this.#goBack();
    if (this.#waitMs > LOOK_AGAIN_MS) this.#lookAgain();
    const owner = this.#owner;
    // Also while it holds back: a receiver that is busy with the replies of this link waits for just these asks.
    if (owner !== undefined)
      for (const ask of [...this.#asks.values()]) if (ask.seq < this.#base) this.#put(owner, [ask]);
    this.#pump();
  }

  /** LS10. */
  #lookAgain(): void {
    if (this.#resolving) return;
    this.#resolving = true;
    this.#o.resolve(true, (resolution) => {
      this.#resolving = false;
      if (!this.#over && typeof resolution === "object" && resolution.owner !== this.#owner)
        this.moved(resolution.owner);
    });
  }

  #resolve(): void {
    if (this.#resolving) return;
    this.#resolving = true;
    const fresh = this.#fresh;
    this.#fresh = false;
    this.#o.resolve(fresh, (resolution) => {
      this.#resolving = false;
      if (this.#over) return;
      if (resolution === "gone") this.#break(new AgentUnknownError(this.#o.agent));
      else if (resolution === "unknown") this.#lost();
      else {
        this.#owner = resolution.owner;
        this.#goBack();
        this.#pump();
      }
    });
  }
}
