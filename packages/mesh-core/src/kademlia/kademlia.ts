/**
 * Kademlia of one node: answers `dht.find`, looks keys up, and keeps the routing table fresh (docs/spec/kademlia.md).
 *
 * K1. A peer enters the table when it spoke for itself and serves; an edge node or a client asks, and is in nobody's table.
 * K2. A bucket that no lookup passed through for the refresh interval is refreshed by a lookup of a random key in it.
 * K3. A member that died is out of the table at once; one that only did not answer is out after the second time.
 * K4. At most {@link LOOKUPS_MAX} lookups run at once and as many again wait; more are refused.
 * K5. After `stop` no timer fires and every lookup has settled.
 * K6. A node whose contacts all fell silent, as behind a cut, asks the last {@link SILENT_MAX} of them again with every lookup and refresh
 *     until one answers: an empty table is no end. Who is known to be gone is not asked.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock, HostPort, Random, TimerHandle, Timers } from "@glia-os/abi/ports";
import { MeshStoppedError } from "../errors.ts";
import type { CallHandler, CallOptions } from "../mesh-types.ts";
import { OverlayLimitError } from "../overlay-errors.ts";
import type { DiversityScope } from "./address-group.ts";
import { type Contact, contactOf } from "./contact.ts";
import { hexOf, randomKeySharing, wordsOf } from "./distance.ts";
import { Lookup } from "./lookup.ts";
import { type FindAnswer, findBody, foundBody, readFind, readFound } from "./messages.ts";
import { PATIENCE_MAX_MS, Patience } from "./patience.ts";
import { RoutingTable } from "./routing-table.ts";

/** Contacts per bucket and nearest peers of a lookup. */
export const K = 20;
/** Questions open at once per path. */
export const ALPHA = 3;
/** Disjoint paths of a lookup. */
export const PATHS = 2;
/** A bucket unused for this long is refreshed, in milliseconds. */
export const REFRESH_MS = 600_000;
/** Lookups at once. */
export const LOOKUPS_MAX = 64;
/** Contacts that fell silent and are remembered. */
export const SILENT_MAX = 20;
/** The one method of the protocol. */
export const FIND_METHOD = "dht.find";

/** What Kademlia works with. */
export interface KademliaOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Where this node listens when it serves others; undefined on an edge node or a client (K1). */
  readonly serves: () => HostPort | undefined;
  readonly call: (
    node: NodeId,
    method: string,
    body: Uint8Array,
    options: CallOptions,
  ) => Promise<Uint8Array>;
  /** Where a member listens by its own signed record; preferred to what a question claims. */
  readonly addressOf: (node: NodeId) => HostPort | undefined;
  /** Remember where a node listens, so that it can be called. */
  readonly addressHint: (node: NodeId, address: HostPort) => void;
  /** What is stored here under a key (64 hexadecimal digits). Not called `valueOf`: every object has a method of that name. */
  readonly heldUnder?: (key: string) => Uint8Array | undefined;
  readonly refreshMs?: number;
  readonly diversity?: DiversityScope;
}

/** The end of one lookup. */
export interface LookupResult {
  /** The nearest peers that answered, nearest first. */
  readonly closest: readonly Contact[];
  /** Peers asked. */
  readonly asked: number;
  /** Hops to the answer that ended it, or to the farthest of the nearest. */
  readonly hops: number;
}

/** Takes a value; true ends the lookup. */
export type TakeValue = (value: Uint8Array, from: NodeId) => boolean;

/** Counts since the start. */
export interface KademliaStats {
  readonly lookups: number;
  readonly answered: number;
  readonly refreshes: number;
  readonly contacts: number;
  readonly hopsMax: number;
}

/** The machine of one node. */
export class Kademlia {
  readonly table: RoutingTable;
  readonly patience: Patience = new Patience();
  readonly #o: KademliaOptions;
  readonly #waiting: (() => void)[] = [];
  readonly #ends = new Set<() => void>();
  /** Contacts that fell silent, the longest first (K6). */
  readonly #silent = new Map<NodeId, Contact>();
  #running = 0;
  #refreshing = false;
  #timer: TimerHandle | undefined;
  #stopped = false;
  #stats = { lookups: 0, answered: 0, refreshes: 0, hopsMax: 0 };

  constructor(options: KademliaOptions) {
    this.#o = options;
    this.table = new RoutingTable(options.self, K, options.diversity ?? "public");
  }

  /** Counts for people and meters. */
  stats(): KademliaStats {
    return { ...this.#stats, contacts: this.table.size };
  }

  /** The methods to answer: none where this node does not serve. */
  methods(): [string, CallHandler][] {
    return [[FIND_METHOD, async ({ node }, body) => this.#answer(node, body)]];
  }

  /** Begin refreshing (K2). */
  start(): void {
    this.#schedule();
  }

  /** End (K5). */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const end of [...this.#ends]) end();
    for (const run of this.#waiting.splice(0)) run();
  }

  /** A node that serves is known to run: it spoke here, or its signed record did. */
  seen(node: NodeId, address: HostPort): void {
    if (this.#stopped) return;
    const observed = this.table.observe(contactOf(node, address), this.#o.clock.monotonicMs());
    if (observed.kind !== "check") return;
    // Its silence is noted in the table; nobody waits for the answer.
    this.#ask(observed.oldest, hexOf(observed.oldest.words), false).catch(() => undefined);
  }

  /** A node is known to be gone (K3). */
  gone(node: NodeId): void {
    this.table.remove(node);
    this.#silent.delete(node);
  }

  /** Fill the table: a lookup of this node's own id. */
  async bootstrap(): Promise<void> {
    await this.lookup(this.#o.self);
  }

  /**
   * The peers nearest to a key (64 hexadecimal digits). With `take`, each value found on the way is offered to it until it says that it is
   * enough. @throws {OverlayLimitError} (K4), {MeshStoppedError}.
   */
  async lookup(key: string, take?: TakeValue): Promise<LookupResult> {
    await this.#admit();
    try {
      return await this.#run(key, take);
    } finally {
      this.#release();
    }
  }

  async #admit(): Promise<void> {
    if (this.#stopped) throw new MeshStoppedError();
    if (this.#running < LOOKUPS_MAX) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= LOOKUPS_MAX) throw new OverlayLimitError("lookups that wait", LOOKUPS_MAX);
    // Whoever ends hands its place on.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }

  async #run(key: string, take: TakeValue | undefined): Promise<LookupResult> {
    if (this.#stopped) throw new MeshStoppedError();
    const { self, clock, timers } = this.#o;
    const target = wordsOf(key);
    this.table.touch(target, clock.monotonicMs());
    const seeds = this.table.size > 0 ? this.table.closest(target, K) : [...this.#silent.values()];
    const waitMs = (node: NodeId): number => this.patience.waitMs(node);
    const lookup = new Lookup({ self, target, seeds, k: K, alpha: ALPHA, paths: PATHS, waitMs });
    let hops = 0;
    let wake: TimerHandle | undefined;
    await new Promise<void>((settle) => {
      const resolve = (): void => {
        this.#ends.delete(resolve);
        settle();
      };
      this.#ends.add(resolve);
      const took = (contact: Contact, { contacts, value }: FindAnswer): void => {
        if (!lookup.onSuccess(contact.node, contacts) || value === undefined) return;
        if (take?.(value, contact.node) !== true) return;
        hops = lookup.hopsTo(contact.node);
        lookup.stop();
      };
      const step = (): void => {
        wake?.cancel();
        if (this.#stopped) {
          resolve();
          return;
        }
        const { ask, wakeMs } = lookup.next(clock.monotonicMs());
        for (const contact of ask)
          this.#ask(contact, key, take !== undefined)
            .then(
              (answer) => took(contact, answer),
              () => lookup.onFailure(contact.node),
            )
            .then(() => (lookup.done ? resolve() : step()));
        if (lookup.done) resolve();
        else if (wakeMs !== undefined) wake = timers.schedule(wakeMs - clock.monotonicMs(), step);
      };
      step();
    });
    wake?.cancel();
    if (this.#stopped) throw new MeshStoppedError();
    return this.#finish(lookup, hops);
  }

  #finish(lookup: Lookup, hops: number): LookupResult {
    const closest = lookup.closest();
    const farthest = closest.reduce((most, { node }) => Math.max(most, lookup.hopsTo(node)), 0);
    const result = { closest, asked: lookup.asked, hops: hops || farthest };
    this.#stats.lookups++;
    this.#stats.hopsMax = Math.max(this.#stats.hopsMax, result.hops);
    return result;
  }

  /** Ask one contact; its answer or silence is noted in the table. */
  async #ask(contact: Contact, key: string, value: boolean): Promise<FindAnswer> {
    const { clock, call, serves, addressHint } = this.#o;
    const { node, address } = contact;
    addressHint(node, address);
    const startMs = clock.monotonicMs();
    // The lookup goes on after the patience with this peer; a late answer is still good for something until here.
    const timeoutMs = Math.min(PATIENCE_MAX_MS, 4 * this.patience.waitMs(node));
    try {
      const body = await call(node, FIND_METHOD, findBody({ key, value, address: serves() }), { timeoutMs });
      const answer = readFound(body);
      this.patience.measured(node, clock.monotonicMs() - startMs);
      this.#silent.delete(node);
      this.seen(node, address);
      return answer;
    } catch (error) {
      this.table.failed(node);
      if (!this.table.has(node)) this.#fellSilent(contact);
      throw error;
    }
  }

  #fellSilent(contact: Contact): void {
    this.#silent.delete(contact.node);
    this.#silent.set(contact.node, contact);
    for (const oldest of this.#silent.keys()) {
      if (this.#silent.size <= SILENT_MAX) return;
      this.#silent.delete(oldest);
    }
  }

  #answer(from: NodeId, body: Uint8Array): Uint8Array {
    const { key, value, address } = readFind(body);
    this.#stats.answered++;
    const where = address === undefined ? undefined : (this.#o.addressOf(from) ?? address);
    if (where !== undefined) this.seen(from, where);
    const contacts = this.table.closest(wordsOf(key), K + 1).filter(({ node }) => node !== from);
    const held = value ? this.#o.heldUnder?.(key) : undefined;
    return foundBody({ contacts: contacts.slice(0, K), value: held });
  }

  #schedule(): void {
    const refreshMs = this.#o.refreshMs ?? REFRESH_MS;
    // An eighth of the interval, a little jittered: nodes that started together do not refresh together.
    const jitter = (this.#o.random.uint32() % 1024) / 8192;
    this.#timer = this.#o.timers.schedule(refreshMs * (0.125 + jitter / 8), () => {
      if (this.#stopped) return;
      this.#schedule();
      void this.#refresh(refreshMs);
    });
  }

  async #refresh(refreshMs: number): Promise<void> {
    if (this.#refreshing) return;
    this.#refreshing = true;
    try {
      const self = wordsOf(this.#o.self);
      if (this.table.size === 0 && this.#silent.size > 0) await this.lookup(this.#o.self);
      for (const bits of this.table.idleBuckets(this.#o.clock.monotonicMs() - refreshMs)) {
        await this.lookup(hexOf(randomKeySharing(self, bits, this.#o.random)));
        this.#stats.refreshes++;
      }
    } catch {
      // Stopped, or too many lookups: the next tick finds the same buckets idle.
    } finally {
      this.#refreshing = false;
    }
  }
}
