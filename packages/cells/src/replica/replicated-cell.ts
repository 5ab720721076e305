/**
 * One cell with replicas, on its gate's side: what of it may leave, and what may not yet (docs/spec/replica.md, RP1).
 *
 * RL1. `whenHeld` and `reply` let go in the order of what was given, and only what `held` names.
 * RL2. The mailbox here is what was accepted and not taken: that of the guest between two steps.
 * RL3. Once it has ended nobody goes on with it: what is done about its last words is written nowhere, and waits for nothing.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { LinkId } from "@glia-os/mesh-core";
import type { Asker, MailItem } from "../runner-port.ts";
import { closedEntry, didEntry, messageEntry } from "./entries.ts";
import { ReplicaLostError } from "./errors.ts";
import type { ReplicaWish } from "./grants.ts";

/** Where entries of one agent go. */
export interface EntryFeed {
  /** Give an entry; its number. */
  append(entry: Uint8Array): number;
  /** The last number given. */
  readonly position: number;
  /** Whether what is given is held sooner or later. */
  readonly ready: boolean;
  /** Whether too much waits to be held. */
  readonly full: boolean;
}

interface Waiting {
  readonly position: number;
  let(): void;
  refuse?(why: Error): void;
}

/** One cell's. */
export class ReplicatedCell {
  readonly agent: AgentId;
  meta: Uint8Array;
  readonly wish: ReplicaWish;
  /** RL2. */
  readonly mailbox: MailItem[] = [];
  readonly #floors = new Map<LinkId, number>();
  readonly #send: (asker: Asker, payload: Uint8Array) => void;
  #feed: EntryFeed | undefined;
  #held = 0;
  #ended = false;
  #waiting: Waiting[] = [];

  constructor(
    agent: AgentId,
    meta: Uint8Array,
    wish: ReplicaWish,
    send: (asker: Asker, payload: Uint8Array) => void,
  ) {
    this.agent = agent;
    this.meta = meta;
    this.wish = wish;
    this.#send = send;
  }

  /** Whether it runs here and is fed. */
  get begun(): boolean {
    return this.#feed !== undefined;
  }

  /** The last entry given. */
  get position(): number {
    return this.#feed?.position ?? 0;
  }

  /** Whether it takes messages now. */
  get open(): boolean {
    return this.#feed?.ready === true && !this.#feed.full;
  }

  /** It runs here: entries go there from now on. */
  begin(feed: EntryFeed): void {
    this.#feed = feed;
  }

  /**
   * Its code was exchanged: what its replica has is a copy of something else, and nothing given before counts as held by the next feed. What
   * waits to be held is let go by the first of it, whose beginning has everything in it.
   */
  renew(meta: Uint8Array, mailbox: readonly MailItem[]): void {
    this.meta = meta;
    this.mailbox.splice(0, this.mailbox.length, ...mailbox);
    this.#feed = undefined;
    this.#held = 0;
    this.#waiting = this.#waiting.map((one) => ({ ...one, position: 0 }));
  }

  /** The sender of a link has the replies to all asks below this number. */
  sawFloor(link: LinkId, floor: number): void {
    if (floor > (this.#floors.get(link) ?? -1)) this.#floors.set(link, floor);
  }

  /** A message goes into the mailbox. */
  accepted(item: MailItem): void {
    this.mailbox.push(item);
    this.#feed?.append(messageEntry(item, this.#floors.get(item.link)));
  }

  /** A link was closed. */
  closed(link: LinkId): void {
    this.#floors.delete(link);
    this.#feed?.append(closedEntry(link));
  }

  /** What the guest was given. */
  given(entry: Uint8Array): void {
    this.#feed?.append(entry);
  }

  /** Messages left the mailbox. */
  taken(count: number): void {
    this.mailbox.splice(0, count);
  }

  /** Resolves when everything given so far is held; undefined when it is. Rejects when the last replica is lost before. */
  whenHeld(): Promise<void> | undefined {
    const { position } = this;
    if (position <= this.#held) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ position, let: resolve, refuse: reject });
    // Of a batch only the last is waited for.
    promise.catch(() => undefined);
    return promise;
  }

  /** The guest replied: the reply leaves when everything given so far is held. */
  reply(asker: Asker, payload: Uint8Array): void {
    this.when(() => this.#send(asker, payload));
  }

  /** What was done about what the agent asked for. */
  did(event: Uint8Array): void {
    if (!this.#ended) this.#feed?.append(didEntry(event));
  }

  /** Do something when everything given so far is held, however often replicas are lost before. */
  when(go: () => void): void {
    const { position } = this;
    if (this.#ended || (this.#feed !== undefined && position <= this.#held)) go();
    else this.#waiting.push({ position, let: go });
  }

  /** Everything up to a number is held. */
  held(position: number): void {
    this.#held = Math.max(this.#held, position);
    // In the order in which it was given; what one lets go may give more.
    while (this.#waiting[0] !== undefined && this.#waiting[0].position <= this.#held)
      this.#waiting.shift()?.let();
  }

  /** It has ended, here and for good, and its copies are dropped (RL3). `held`: all that it said was held by then, so nothing stays behind. */
  end(held: boolean): void {
    this.#ended = true;
    const waiting = held ? this.#waiting.splice(0) : [];
    for (const one of waiting) one.let();
  }

  /** The replica is lost, or the cell is not here any more: those who wait for acknowledgements ask again. */
  lost(): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ refuse }) => refuse === undefined);
    for (const { refuse } of waiting) refuse?.(new ReplicaLostError(this.agent));
  }
}
