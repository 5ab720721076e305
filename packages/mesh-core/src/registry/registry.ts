/**
 * The registry: who hosts which agent, as hints that many nodes hold (docs/spec/registry.md). The truth is with coordination.
 *
 * RG1. A record lies with the `replication` nodes that rank first for its key; this node counts only when it is one of them.
 * RG2. What this node publishes is published again after a third of its life, a little jittered, and within seconds when the nodes that
 *      should hold it change.
 * RG3. A lookup reads from two holders and returns the record with the highest epoch among those that verify.
 * RG4. An edge node stores nothing for others.
 * RG5. A store that is refused is reported as refused: an answer never echoes success.
 */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import { fromHex, toHex } from "@glia-os/abi/ids";
import type { Clock, Digests, HostPort, Meter, Random, TimerHandle, Timers } from "@glia-os/abi/ports";
import { decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import type { CallHandler, CallOptions } from "../mesh-types.ts";
import { NotServingError, OverlayLimitError } from "../overlay-errors.ts";
import {
  ADDRESSES_MAX,
  AGENT_NAME_MAX,
  AGENT_RECORD_MAX,
  type AgentRecord,
  type AgentRecords,
  agentKey,
  compareRecords,
  nameKey,
  RECORD_TTL_MS,
  remainingMs,
} from "./agent-record.ts";
import { LookupMeasures } from "./lookup-measures.ts";
import { RecordStore, type RecordStoreOptions, type Refusals } from "./record-store.ts";
import type { RecordStrategy } from "./strategy.ts";

/** Copies of a record. */
export const REPLICATION = 3;
/** Holders a lookup reads from. */
export const READS = 2;
/** Agents one node publishes. */
export const PUBLISHED_MAX = 10_000;
/** Version of the bodies of this protocol. */
export const REGISTRY_VERSION = 1;
/** How often due and misplaced records are looked for, in milliseconds. */
export const TICK_MS = 1000;
const PLACES_PER_TICK = 256;
const PUBLICATIONS_AT_ONCE = 16;
const STORE_TIMEOUT_MS = 5000;
/** The methods of the protocol. */
export const REGISTRY_METHODS = { store: "reg.store", find: "reg.find" } as const;

/** What the registry works with. */
export interface RegistryOptions {
  readonly self: NodeId;
  readonly bootEpoch: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly digests: Digests;
  readonly records: AgentRecords;
  readonly strategy: RecordStrategy;
  /** Whether this node stores records for others (RG4). */
  readonly serves: boolean;
  readonly addresses: () => readonly HostPort[];
  readonly call: (
    node: NodeId,
    method: string,
    body: Uint8Array,
    options: CallOptions,
  ) => Promise<Uint8Array>;
  readonly ttlMs?: number;
  readonly replication?: number;
  readonly meter?: Meter | undefined;
  /** What the meter calls this node. Default: nothing. */
  readonly name?: string;
  readonly store?: Pick<RecordStoreOptions, "max" | "perSpeaker">;
}

/** Counts since the start. */
export interface RegistryStats {
  readonly strategy: RecordStrategy["kind"];
  readonly published: number;
  readonly stored: number;
  readonly publications: number;
  readonly copies: number;
  readonly lookups: number;
  readonly found: number;
  readonly refused: Refusals;
}

/** A found record and how far away it was. */
export interface Located {
  readonly record: AgentRecord;
  readonly hops: number;
  readonly asked: number;
}

interface Published {
  readonly agent: AgentId;
  readonly name: string;
  readonly epoch: Epoch;
  seq: number;
  dueMs: number;
  holders: string;
  busy: boolean;
}

/** The registry of one node. */
export class Registry {
  readonly #o: RegistryOptions;
  readonly #store: RecordStore;
  readonly #measures: LookupMeasures;
  readonly #published = new Map<AgentId, Published>();
  #timer: TimerHandle | undefined;
  #version = -1;
  #unchecked: Published[] = [];
  #publishing = 0;
  #stopped = false;
  #stats = { publications: 0, copies: 0, lookups: 0, found: 0 };

  constructor(options: RegistryOptions) {
    this.#o = options;
    this.#store = new RecordStore({ ...options, ...options.store });
    this.#measures = new LookupMeasures(options.meter, options.name ?? "");
  }

  /** What is stored here under a key, for the answers of `dht.find`. */
  valueOf(key: string): Uint8Array | undefined {
    const record = this.#store.get(key);
    if (record !== undefined) this.#measures.got();
    return record;
  }

  /** Counts for people and meters. */
  stats(): RegistryStats {
    const { strategy } = this.#o;
    const published = this.#published.size;
    return {
      strategy: strategy.kind,
      published,
      stored: this.#store.size,
      ...this.#stats,
      refused: this.#store.refusals(),
    };
  }

  /** The methods to answer. */
  methods(): [string, CallHandler][] {
    return [
      [REGISTRY_METHODS.store, async (_caller, body) => this.#put(body)],
      [REGISTRY_METHODS.find, async (_caller, body) => this.#answer(body)],
    ];
  }

  /** Begin to publish again and to forget. */
  start(): void {
    const tick = (): void => {
      if (this.#stopped) return;
      this.#timer = this.#o.timers.schedule(TICK_MS, tick, { toleranceMs: TICK_MS / 2 });
      this.#tick();
    };
    this.#timer = this.#o.timers.schedule(TICK_MS, tick, { toleranceMs: TICK_MS / 2 });
  }

  /** End. What was published stays with its holders until its time is over. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /**
   * Say that an agent is here, now and until `withdraw` or `moved`. Resolves with the number of nodes that hold the record.
   * @throws {OverlayLimitError} for more than {@link PUBLISHED_MAX} agents or too long a name.
   */
  async publish(agent: AgentId, epoch: Epoch, name = ""): Promise<number> {
    if (name.length > AGENT_NAME_MAX)
      throw new OverlayLimitError("characters of an agent name", AGENT_NAME_MAX);
    if (!this.#published.has(agent) && this.#published.size >= PUBLISHED_MAX)
      throw new OverlayLimitError("published agents", PUBLISHED_MAX);
    const before = this.#published.get(agent)?.seq ?? 0;
    const published = { agent, name, epoch, seq: before, dueMs: 0, holders: "", busy: false };
    this.#published.set(agent, published);
    return this.#publishAgain(published);
  }

  /** An agent of this node went to another: tell its holders, and publish it no more. */
  async moved(
    agent: AgentId,
    epoch: Epoch,
    owner: NodeId,
    addresses: readonly HostPort[] = [],
  ): Promise<number> {
    const name = this.#published.get(agent)?.name ?? "";
    this.#published.delete(agent);
    return this.#spread({
      ...this.#blank(agent, name, epoch),
      owner,
      boot: 0,
      seq: 0,
      addresses,
      status: "moved",
    });
  }

  /** An agent of this node ended: tell its holders, and publish it no more. */
  async withdraw(agent: AgentId): Promise<number> {
    const published = this.#published.get(agent);
    if (published === undefined) return 0;
    this.#published.delete(agent);
    const { name, epoch, seq } = published;
    return this.#spread({ ...this.#blank(agent, name, epoch), seq: seq + 1, status: "gone" });
  }

  /** Where an agent is, as far as anybody reachable knows; undefined also when it ended. */
  async find(agent: AgentId): Promise<Located | undefined> {
    const located = await this.#locate(agentKey(this.#o.digests, agent), (record) => record.agent === agent);
    return located?.record.status === "gone" ? undefined : located;
  }

  /** An agent by name. A name that two agents took gives one of them. */
  async findByName(name: string): Promise<Located | undefined> {
    const located = await this.#locate(nameKey(this.#o.digests, name), (record) => record.name === name);
    return located?.record.status === "gone" ? undefined : located;
  }

  async #locate(key: string, fits: (record: AgentRecord) => boolean): Promise<Located | undefined> {
    const found: { best: AgentRecord | undefined; reads: number } = { best: undefined, reads: 0 };
    const take = (bytes: Uint8Array): boolean => {
      const record = this.#verified(bytes);
      if (record === undefined || !fits(record)) return false;
      if (found.best === undefined || compareRecords(record, found.best) > 0) found.best = record;
      return ++found.reads >= READS;
    };
    this.#stats.lookups++;
    const { clock, strategy } = this.#o;
    const startMs = clock.monotonicMs();
    const local = this.#store.get(key);
    if (local !== undefined) take(local);
    const { asked, hops } = await strategy.find(key, take);
    const tookMs = clock.monotonicMs() - startMs;
    this.#measures.looked({ found: found.best !== undefined, local: local !== undefined, hops, tookMs });
    if (found.best === undefined) return undefined;
    this.#stats.found++;
    return { record: found.best, hops, asked };
  }

  #verified(bytes: Uint8Array): AgentRecord | undefined {
    try {
      const heard = this.#o.records.read(bytes);
      if (remainingMs(heard.record, this.#o.clock.wallMs()) <= 0) return undefined;
      heard.verify();
      return heard.record;
    } catch {
      // A holder that gives rubbish counts as one that has nothing.
      return undefined;
    }
  }

  #blank(agent: AgentId, name: string, epoch: Epoch): AgentRecord {
    const { self, bootEpoch, clock, ttlMs = RECORD_TTL_MS } = this.#o;
    const addresses = this.#o.addresses().slice(0, ADDRESSES_MAX);
    const issuedMs = Math.floor(clock.wallMs());
    return {
      agent,
      name,
      owner: self,
      epoch,
      boot: bootEpoch,
      seq: 1,
      addresses,
      status: "live",
      issuedMs,
      ttlMs,
    };
  }

  async #publishAgain(published: Published): Promise<number> {
    const { clock, random, ttlMs = RECORD_TTL_MS } = this.#o;
    const { agent, name, epoch } = published;
    published.seq++;
    published.busy = true;
    // A third of the life, up to a tenth earlier: nodes that published together do not publish together again.
    published.dueMs = clock.monotonicMs() + (ttlMs / 3) * (0.9 + (random.uint32() % 1024) / 10_240);
    this.#stats.publications++;
    try {
      return await this.#spread({ ...this.#blank(agent, name, epoch), seq: published.seq }, published);
    } finally {
      published.busy = false;
    }
  }

  /** Store a record with those that should hold it, under its agent and its name (RG1). */
  async #spread(record: AgentRecord, published?: Published): Promise<number> {
    const { digests, replication = REPLICATION, strategy, records } = this.#o;
    const bytes = records.sign(record);
    const keys = [agentKey(digests, record.agent)];
    if (record.name !== "") keys.push(nameKey(digests, record.name));
    const copies: number[] = [];
    for (const key of keys) {
      const holders = await strategy.holders(key, replication);
      if (published !== undefined && key === keys[0]) published.holders = holders.join();
      const stored = await Promise.all(holders.map((node) => this.#hand(node, bytes, published)));
      copies.push(stored.filter(Boolean).length);
    }
    this.#stats.copies += copies[0] ?? 0;
    return copies[0] ?? 0;
  }

  async #hand(node: NodeId, bytes: Uint8Array, published: Published | undefined): Promise<boolean> {
    const { self, call } = this.#o;
    try {
      const body = encodeCbor([REGISTRY_VERSION, bytes]);
      const answer =
        node === self
          ? this.#put(body)
          : await call(node, REGISTRY_METHODS.store, body, { timeoutMs: STORE_TIMEOUT_MS });
      const { stored, newer } = readStored(answer);
      if (newer !== undefined && published !== undefined) this.#superseded(published, newer);
      return stored;
    } catch {
      // Unreachable or refused: the other holders have it, and the next publication tries again.
      return false;
    }
  }

  /** Somebody holds a newer record of an agent: when it belongs to another node, this one publishes it no more. */
  #superseded(published: Published, newer: Uint8Array): void {
    const record = this.#verified(newer);
    if (record === undefined || record.agent !== published.agent) return;
    if (record.epoch > published.epoch && this.#published.get(published.agent) === published)
      this.#published.delete(published.agent);
    else if (record.owner === this.#o.self) published.seq = Math.max(published.seq, record.seq);
  }

  #tick(): void {
    this.#store.sweep();
    this.#measures.table(this.#o.strategy.known());
    const nowMs = this.#o.clock.monotonicMs();
    for (const published of this.#published.values()) {
      if (this.#publishing >= PUBLICATIONS_AT_ONCE) return;
      if (published.dueMs <= nowMs && !published.busy) this.#begin(published);
    }
    void this.#checkPlaces();
  }

  #begin(published: Published): void {
    this.#publishing++;
    void this.#publishAgain(published)
      .catch(() => 0)
      .finally(() => {
        this.#publishing--;
      });
  }

  /** After the view changed: records whose holders are others now become due (RG2), some per tick. */
  async #checkPlaces(): Promise<void> {
    const { strategy, digests, replication = REPLICATION } = this.#o;
    const version = strategy.version();
    if (version !== this.#version) {
      this.#version = version;
      this.#unchecked = [...this.#published.values()];
    }
    for (const published of this.#unchecked.splice(0, PLACES_PER_TICK)) {
      if (strategy.kind === "kademlia") continue;
      const holders = await strategy.holders(agentKey(digests, published.agent), replication);
      if (holders.join() !== published.holders) published.dueMs = 0;
    }
  }

  #put(body: Uint8Array): Uint8Array {
    if (!this.#o.serves) throw new NotServingError("records");
    const reader = new FieldReader(decodeCbor(body, "a store"), "a store");
    reader.int("version", REGISTRY_VERSION, REGISTRY_VERSION);
    const record = reader.bytes("record", AGENT_RECORD_MAX, 1);
    reader.end();
    const { stored, newer } = this.#store.put(record);
    if (stored) this.#measures.put();
    return encodeCbor([REGISTRY_VERSION, stored, newer ?? null]);
  }

  #answer(body: Uint8Array): Uint8Array {
    const reader = new FieldReader(decodeCbor(body, "a record question"), "a record question");
    reader.int("version", REGISTRY_VERSION, REGISTRY_VERSION);
    const key = toHex(reader.bytes("key", 32, 32));
    reader.end();
    return encodeCbor([REGISTRY_VERSION, this.valueOf(key) ?? null]);
  }
}

/** The body of a question for one key. */
export function recordQuestion(key: string): Uint8Array {
  return encodeCbor([REGISTRY_VERSION, fromHex(key)]);
}

/** The record in an answer to it. @throws {MalformedMessageError}. */
export function readRecordAnswer(body: Uint8Array): Uint8Array | undefined {
  const reader = new FieldReader(decodeCbor(body, "a record answer"), "a record answer");
  reader.int("version", REGISTRY_VERSION, REGISTRY_VERSION);
  const record = optionalBytes(reader, "record");
  reader.end();
  return record;
}

function readStored(body: Uint8Array): { readonly stored: boolean; readonly newer: Uint8Array | undefined } {
  const reader = new FieldReader(decodeCbor(body, "a store answer"), "a store answer");
  reader.int("version", REGISTRY_VERSION, REGISTRY_VERSION);
  const stored = reader.bool("stored");
  const newer = optionalBytes(reader, "newer");
  reader.end();
  return { stored, newer };
}

function optionalBytes(reader: FieldReader, name: string): Uint8Array | undefined {
  return reader.optional(name, (item) => {
    if (!(item instanceof Uint8Array) || item.length > AGENT_RECORD_MAX)
      throw reader.refuse(name, `not at most ${AGENT_RECORD_MAX} bytes`);
    return item;
  });
}
