/**
 * Discovery over multicast DNS (RFC 6762, RFC 6763; docs/spec/discovery.md).
 *
 * MD1. The records are announced twice, a second apart, again when the addresses of the machine change, and on every question
 *      for them, once a second at most.
 * MD2. Others are asked for at 0, 1, 3 and 7 s, and then every four minutes: before anything known is five minutes old.
 * MD3. A goodbye leaves when it closes.
 * MD4. Packets of others never raise an error; the socket's own errors after the start are told to the logger.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type {
  Announcement,
  Clock,
  Discovery,
  FoundNode,
  Logger,
  TimerHandle,
  Timers,
} from "@glia-os/abi/ports";
import type { MulticastDNS, QueryPacket } from "multicast-dns";
import { DiscoveryUnavailableError } from "../errors.ts";
import { type SeenRecord, ServiceCache } from "./service-cache.ts";
import {
  addressesOf,
  RECORD_TTL_S,
  SERVICE_TYPES,
  type ServiceRecord,
  serviceRecords,
} from "./service-records.ts";

const MDNS_PORT = 5353;
const SECOND_MS = 1000;
const QUERY_PAUSES_MS: readonly number[] = [1000, 2000, 4000];
const QUERY_INTERVAL_MS = 240_000;
/** Addresses of the machine and the ages of records are looked at this often. */
const WATCH_INTERVAL_MS = 15_000;

/** What discovery is made from. */
export interface MdnsDiscoveryOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger?: Logger;
  /** The address of the interface to use. Default: all, with the machine's route for multicast. */
  readonly interface?: string;
}

/** Start looking for nodes; `announce` adds this one. @throws {DiscoveryUnavailableError} */
export async function createMdnsDiscovery(options: MdnsDiscoveryOptions): Promise<Discovery> {
  const own = options.interface;
  // Loaded here: its `require` of Node's modules does not run in a bundle, which nodes without multicast DNS then need not care about.
  const { default: multicastDns } = await import("multicast-dns");
  // Bound to the wildcard: a socket bound to an address of the machine gets no multicast on Linux.
  const mdns = multicastDns({ bind: "0.0.0.0", ...(own === undefined ? {} : { interface: own }) });
  await new Promise<void>((resolve, reject) => {
    mdns.once("ready", resolve);
    mdns.once("error", (error: unknown) => reject(new DiscoveryUnavailableError(error)));
  });
  return new MdnsDiscovery(mdns, options);
}

class MdnsDiscovery implements Discovery {
  readonly #mdns: MulticastDNS;
  readonly #options: MdnsDiscoveryOptions;
  readonly #cache: ServiceCache;
  readonly #timers = new Map<string, TimerHandle>();
  #found: ((node: FoundNode) => void) | undefined;
  #lost: ((node: NodeId) => void) | undefined;
  #announcement: Announcement | undefined;
  #addresses: readonly string[] = [];
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #queries = 0;
  #closing: Promise<void> | undefined;

  constructor(mdns: MulticastDNS, options: MdnsDiscoveryOptions) {
    this.#mdns = mdns;
    this.#options = options;
    this.#cache = new ServiceCache(() => this.#announcement?.node, {
      found: (node) => this.#found?.(node),
      lost: (node) => this.#lost?.(node),
    });
    const warn = (error: unknown) =>
      this.#options.logger?.log("debug", "multicast DNS", { why: String(error) });
    mdns.removeAllListeners("error");
    mdns.on("error", warn);
    mdns.on("warning", warn);
    mdns.on("response", ({ answers, additionals }) =>
      this.#learn([...(answers ?? []), ...(additionals ?? [])]),
    );
    mdns.on("query", (packet, { port, address }) => this.#answer(packet, { port, address }));
    this.#query();
    this.#watch();
  }

  announce(announcement: Announcement): void {
    if (this.#closing !== undefined) return;
    if (this.#announcement !== undefined) this.#say(0);
    this.#announcement = announcement;
    this.#addresses = addressesOf(announcement.address.host);
    this.#sayTwice();
  }

  onFound(found: (node: FoundNode) => void): void {
    this.#found = found;
    for (const node of this.#cache.nodes) found(node);
  }

  onLost(lost: (node: NodeId) => void): void {
    this.#lost = lost;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers.values()) timer.cancel();
    const records = this.#records(0);
    if (records.length > 0)
      await new Promise<void>((resolve) => this.#mdns.respond(records as never, () => resolve()));
    await new Promise<void>((resolve) => this.#mdns.destroy(() => resolve()));
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  /** One timer per purpose. */
  #in(purpose: string, delayMs: number, fire: () => void): void {
    this.#timers.get(purpose)?.cancel();
    this.#timers.set(purpose, this.#options.timers.schedule(delayMs, fire));
  }

  #records(ttl: number): ServiceRecord[] {
    return this.#announcement === undefined ? [] : serviceRecords(this.#announcement, this.#addresses, ttl);
  }

  /** (MD1) */
  #sayTwice(): void {
    this.#say(RECORD_TTL_S);
    this.#in("again", SECOND_MS, () => this.#say(RECORD_TTL_S));
  }

  #say(ttl: number): void {
    const records = this.#records(ttl);
    this.#saidAtMs = this.#now();
    if (records.length > 0) this.#mdns.respond(records as never);
  }

  /** Somebody asks: everybody hears the answer, except for a program that asks from a port of its own (RFC 6762 section 6.7). */
  #answer(packet: QueryPacket, from: { readonly port: number; readonly address: string }): void {
    const names = new Set(this.#records(RECORD_TTL_S).map(({ name }) => name.toLowerCase()));
    if (packet.questions?.some(({ name }) => names.has(name.toLowerCase())) !== true) return;
    if (from.port !== MDNS_PORT) {
      const answers = this.#records(RECORD_TTL_S).map((record) => ({ ...record, flush: false, ttl: 10 }));
      const { id } = packet as { id?: number };
      this.#mdns.respond({ id, questions: packet.questions, answers } as never, from as never);
    } else if (this.#now() - this.#saidAtMs >= SECOND_MS) this.#say(RECORD_TTL_S);
    else this.#in("again", SECOND_MS, () => this.#say(RECORD_TTL_S));
  }

  /** What is missing of a service is asked for, once a second at most. */
  #learn(records: readonly SeenRecord[]): void {
    this.#cache.take(records, this.#now());
    if (this.#cache.missing.length === 0 || this.#timers.has("ask")) return;
    this.#in("ask", SECOND_MS, () => {
      this.#timers.delete("ask");
      const names = this.#cache.missing;
      if (names.length > 0) this.#mdns.query(names.map((name) => ({ name, type: "ANY" as never })));
    });
  }

  /** (MD2) */
  #query(): void {
    this.#mdns.query(SERVICE_TYPES.map((name) => ({ name, type: "PTR" as const })));
    this.#in("query", QUERY_PAUSES_MS[this.#queries++] ?? QUERY_INTERVAL_MS, () => this.#query());
  }

  #watch(): void {
    this.#cache.expire(this.#now());
    const { host } = this.#announcement?.address ?? { host: "" };
    const addresses = addressesOf(host);
    if (this.#announcement !== undefined && addresses.join() !== this.#addresses.join()) {
      this.#addresses = addresses;
      this.#sayTwice();
    }
    this.#in("watch", WATCH_INTERVAL_MS, () => this.#watch());
  }
}
