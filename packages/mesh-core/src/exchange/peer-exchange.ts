/**
 * Peer exchange: nodes show each other the signed records of members they know (docs/spec/peer-exchange.md).
 *
 * PX1. Only members are asked and answered; a client may ask, and is shown members, never shown to others.
 * PX2. What is not signed by its subject, or is not newer, is not kept. Refusals are counted.
 * PX3. At most {@link PEERS_KEPT_MAX} records are kept, {@link PEERS_SHOWN_MAX} shown per answer. The one that was seen longest ago gives way.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { HostPort, Random, TimerHandle, TimerOptions, Timers } from "@glia-os/abi/ports";
import { decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import type { CallHandler, CallOptions } from "../mesh-types.ts";
import { PEER_RECORD_MAX, type PeerRecord, type PeerRecords } from "./peer-record.ts";

/** Records one node keeps. */
export const PEERS_KEPT_MAX = 4096;
/** Records in one answer. */
export const PEERS_SHOWN_MAX = 32;
/** Version of the bodies of this protocol. */
export const EXCHANGE_VERSION = 1;
/** One peer is asked this often, in milliseconds. */
export const EXCHANGE_MS = 30_000;
/** The one method. */
export const EXCHANGE_METHOD = "pex.pull";
const TIMEOUT_MS = 5000;
/** Nothing waits for an exchange: it may share another timer's wake-up. */
const OFTEN_ENOUGH: TimerOptions = { toleranceMs: 1000 };
/** Room for a certificate and a signature around the largest record. */
const STATEMENT_MAX = PEER_RECORD_MAX + 700;

/** What the exchange works with. */
export interface PeerExchangeOptions {
  readonly self: NodeId;
  readonly timers: Timers;
  readonly random: Random;
  readonly records: PeerRecords;
  /** Where this node listens; undefined on a client, which shows nothing of itself. */
  readonly address: () => HostPort | undefined;
  /** A number greater than at every earlier start: the boot epoch. */
  readonly seq: number;
  /** Nodes with a session: they are asked in turn. */
  readonly peers: () => readonly NodeId[];
  readonly call: (
    node: NodeId,
    method: string,
    body: Uint8Array,
    options: CallOptions,
  ) => Promise<Uint8Array>;
  /** A record that is new or newer. */
  readonly learned: (record: PeerRecord) => void;
}

/** Counts since the start. */
export interface PeerExchangeStats {
  readonly kept: number;
  readonly learned: number;
  readonly refused: number;
}

/** The exchange of one node. */
export class PeerExchange {
  readonly #o: PeerExchangeOptions;
  readonly #kept = new Map<NodeId, { readonly record: PeerRecord; readonly bytes: Uint8Array }>();
  #own: { readonly where: string; readonly bytes: Uint8Array } | undefined;
  #timer: TimerHandle | undefined;
  #stopped = false;
  #stats = { learned: 0, refused: 0 };

  constructor(options: PeerExchangeOptions) {
    this.#o = options;
  }

  /** Begin to ask. */
  start(): void {
    const tick = (): void => {
      if (this.#stopped) return;
      this.#timer = this.#o.timers.schedule(EXCHANGE_MS, tick, OFTEN_ENOUGH);
      const peers = this.#o.peers();
      const chosen = peers[this.#o.random.uint32() % Math.max(1, peers.length)];
      if (chosen !== undefined) this.pull(chosen).catch(() => undefined);
    };
    this.#timer = this.#o.timers.schedule(
      (EXCHANGE_MS * (this.#o.random.uint32() % 1024)) / 1024,
      tick,
      OFTEN_ENOUGH,
    );
  }

  /** End. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** The method to answer. */
  methods(): [string, CallHandler][] {
    return [[EXCHANGE_METHOD, async ({ node, role }, body) => this.#answer(node, role !== "client", body)]];
  }

  /** Records kept, without this node's own. */
  known(): PeerRecord[] {
    return [...this.#kept.values()].map(({ record }) => record);
  }

  /** Counts for people and meters. */
  stats(): PeerExchangeStats {
    return { kept: this.#kept.size, ...this.#stats };
  }

  /** Show a node what is known here, and take what it shows. Resolves with how many records were new. */
  async pull(node: NodeId): Promise<number> {
    const answer = await this.#o.call(node, EXCHANGE_METHOD, this.#shown(node), { timeoutMs: TIMEOUT_MS });
    return this.#take(answer, true);
  }

  #answer(from: NodeId, member: boolean, body: Uint8Array): Uint8Array {
    this.#take(body, member);
    return this.#shown(from);
  }

  #take(body: Uint8Array, believed: boolean): number {
    const reader = new FieldReader(decodeCbor(body, "a peer exchange"), "a peer exchange");
    reader.int("version", EXCHANGE_VERSION, EXCHANGE_VERSION);
    const statements = reader.list("records", PEERS_SHOWN_MAX, (item) => {
      if (!(item instanceof Uint8Array) || item.length > STATEMENT_MAX)
        throw reader.refuse("records", `a list of more than ${STATEMENT_MAX} bytes each`);
      return item;
    });
    reader.end();
    return believed ? statements.filter((bytes) => this.#learn(bytes)).length : 0;
  }

  #learn(bytes: Uint8Array): boolean {
    try {
      const heard = this.#o.records.read(bytes);
      const { record } = heard;
      if (record.node === this.#o.self) return false;
      const known = this.#kept.get(record.node);
      if (known !== undefined && known.record.seq >= record.seq) return false;
      heard.verify();
      this.#kept.delete(record.node);
      this.#kept.set(record.node, { record, bytes: Uint8Array.from(bytes) });
      if (this.#kept.size > PEERS_KEPT_MAX) this.#forgetOldest();
      this.#stats.learned++;
      this.#o.learned(record);
      return true;
    } catch {
      this.#stats.refused++;
      return false;
    }
  }

  #forgetOldest(): void {
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      return;
    }
  }

  /** This node's record and a random choice of the others. */
  #shown(to: NodeId): Uint8Array {
    const { random } = this.#o;
    const shown: Uint8Array[] = [];
    const own = this.#ownRecord();
    if (own !== undefined) shown.push(own);
    const others = [...this.#kept.values()].filter(({ record }) => record.node !== to);
    while (others.length > 0 && shown.length < PEERS_SHOWN_MAX) {
      const at = random.uint32() % others.length;
      const last = others.pop();
      const chosen = at === others.length ? last : others[at];
      if (at < others.length && last !== undefined) others[at] = last;
      if (chosen !== undefined) shown.push(chosen.bytes);
    }
    return encodeCbor([EXCHANGE_VERSION, shown]);
  }

  #ownRecord(): Uint8Array | undefined {
    const address = this.#o.address();
    if (address === undefined) return undefined;
    const where = `${address.host} ${address.port}`;
    if (this.#own?.where !== where)
      this.#own = { where, bytes: this.#o.records.sign(this.#o.seq, [address]) };
    return this.#own.bytes;
  }
}
