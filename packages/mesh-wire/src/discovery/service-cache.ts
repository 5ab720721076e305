/**
 * What others on the link have announced, put together from their records.
 *
 * SC1. Whatever arrives, nothing is thrown and nothing but bounded tables grows: 256 services, 256 hosts, 8 addresses each. What
 *      is over a bound is not taken until something else has gone.
 * SC2. A node is told when pointer, place, text and an address of it are known and well formed, and again when its addresses change.
 * SC3. A record with time 0 is a goodbye; a record that was not repeated within its time is forgotten. No time is over an hour.
 */
import { isIP } from "node:net";
import { type ClusterId, type NodeId, parseClusterId, parseNodeId } from "@glia-os/abi/ids";
import type { FoundNode, HostPort } from "@glia-os/abi/ports";
import { isReachable, SERVICE_TYPES, TXT_VERSION } from "./service-records.ts";

const SERVICES_MAX = 256;
const HOSTS_MAX = 256;
const ADDRESSES_MAX = 8;
const QUESTIONS_MAX = 16;
/** Records looked at in one packet; a packet of 9,000 bytes (RFC 6762 section 17) hardly holds more. */
const RECORDS_MAX = 512;
const TTL_MAX_S = 3600;
const NAME_BYTES_MAX = 255;
const TEXTS_MAX = 16;
const SECOND_MS = 1000;

/** A record of a packet, of which nothing is believed. */
export interface SeenRecord {
  readonly type?: unknown;
  readonly name?: unknown;
  readonly ttl?: unknown;
  readonly data?: unknown;
  /** Whether this record replaces what was there under its name and type (RFC 6762 section 10.2). */
  readonly flush?: unknown;
}

/** What a cache tells. */
export interface CacheEvents {
  found(node: FoundNode): void;
  lost(node: NodeId): void;
}

interface Service {
  untilMs: number;
  place?: { readonly port: number; readonly target: string };
  text?: { readonly node: NodeId; readonly cluster: ClusterId };
}

type Addresses = Map<string, number>;

/** A string of a text record, which is bytes when it came from the network. */
function asText(part: unknown): string {
  if (typeof part === "string") return part;
  return part instanceof Uint8Array ? Buffer.from(part).toString("latin1") : "";
}

function textOf(data: unknown): { node: NodeId; cluster: ClusterId } | undefined {
  const parts = (Array.isArray(data) ? data : [data]).slice(0, TEXTS_MAX).map(asText);
  const value = (key: string) =>
    parts.find((part) => part.startsWith(`${key}=`))?.slice(key.length + 1) ?? "";
  if (value("v") !== TXT_VERSION) return undefined;
  try {
    return { node: parseNodeId(value("node")), cluster: parseClusterId(value("cluster")) };
  } catch {
    return undefined;
  }
}

function placeOf(data: unknown): { port: number; target: string } | undefined {
  const { port, target } = (data ?? {}) as { port?: unknown; target?: unknown };
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return typeof target === "string" ? { port, target: target.toLowerCase() } : undefined;
}

/** The services of one link. */
export class ServiceCache {
  readonly #self: () => NodeId | undefined;
  readonly #events: CacheEvents;
  readonly #services = new Map<string, Service>();
  readonly #hosts = new Map<string, Addresses>();
  readonly #told = new Map<NodeId, FoundNode>();

  /** @param self this node, which is not told */
  constructor(self: () => NodeId | undefined, events: CacheEvents) {
    this.#self = self;
    this.#events = events;
  }

  /** Nodes that were told and are not lost. */
  get nodes(): readonly FoundNode[] {
    return [...this.#told.values()];
  }

  /** Entries held, in all tables (SC1). */
  get size(): number {
    return this.#services.size + [...this.#hosts.values()].reduce((sum, own) => sum + 1 + own.size, 0);
  }

  /** Names to ask about, because a service is known by its pointer alone or its host has no address; 16 at most. */
  get missing(): readonly string[] {
    const names = new Set<string>();
    for (const [name, { place, text }] of this.#services) {
      if (place === undefined || text === undefined) names.add(name);
      else if (!this.#hosts.has(place.target)) names.add(place.target);
    }
    return [...names].slice(0, QUESTIONS_MAX);
  }

  /** The records of one packet (SC1-SC3). */
  take(records: readonly SeenRecord[], nowMs: number): void {
    // Pointers first: the others are only of interest for services that are pointed to.
    const flushed = new Set<string>();
    const names = records.slice(0, RECORDS_MAX).flatMap(namesIn);
    for (const record of records.slice(0, RECORDS_MAX).sort((x, y) => rank(x) - rank(y)))
      this.#takeOne(record, nowMs, flushed);
    this.#tell(new Set(names));
  }

  /** Forget what is over (SC3). */
  expire(nowMs: number): void {
    for (const [name, { untilMs }] of this.#services) if (untilMs <= nowMs) this.#services.delete(name);
    for (const [host, addresses] of this.#hosts) {
      for (const [address, untilMs] of addresses) if (untilMs <= nowMs) addresses.delete(address);
      if (addresses.size === 0 || !this.#isPointedTo(host)) this.#hosts.delete(host);
    }
    this.#tell(new Set([...this.#services.keys(), ...this.#hosts.keys()]));
  }

  #takeOne(record: SeenRecord, nowMs: number, flushed: Set<string>): void {
    if (typeof record.name !== "string" || record.name.length > NAME_BYTES_MAX) return;
    const ttl = typeof record.ttl === "number" && record.ttl >= 0 ? Math.min(record.ttl, TTL_MAX_S) : 0;
    const untilMs = nowMs + ttl * SECOND_MS;
    const name = record.name.toLowerCase();
    if (record.type === "PTR") this.#takePointer(name, record.data, ttl, untilMs);
    else if (isAddress(record)) this.#takeAddress(name, record, untilMs, ttl, flushed);
    else this.#takePart(name, record, ttl, untilMs);
  }

  #takePointer(type: string, data: unknown, ttl: number, untilMs: number): void {
    if (!SERVICE_TYPES.includes(type) || typeof data !== "string" || data.length > NAME_BYTES_MAX) return;
    const name = data.toLowerCase();
    const service = this.#services.get(name);
    if (ttl === 0) this.#services.delete(name);
    else if (service !== undefined) service.untilMs = untilMs;
    else if (this.#services.size < SERVICES_MAX && name.endsWith(`.${type}`))
      this.#services.set(name, { untilMs });
  }

  /** Where a service is, or its text; both keep it alive. */
  #takePart(name: string, { type, data }: SeenRecord, ttl: number, untilMs: number): void {
    const service = this.#services.get(name);
    if (service === undefined || (type !== "SRV" && type !== "TXT")) return;
    if (ttl === 0) {
      this.#services.delete(name);
      return;
    }
    const [place, text] = type === "SRV" ? [placeOf(data), undefined] : [undefined, textOf(data)];
    if (place !== undefined) service.place = place;
    if (text !== undefined) service.text = text;
    service.untilMs = Math.max(service.untilMs, untilMs);
  }

  #takeAddress(
    host: string,
    { data, flush }: SeenRecord,
    untilMs: number,
    ttl: number,
    flushed: Set<string>,
  ): void {
    if (typeof data !== "string" || !isReachable(data)) return;
    const known = this.#hosts.get(host);
    if (known === undefined && (this.#hosts.size >= HOSTS_MAX || !this.#isPointedTo(host))) return;
    const addresses = known ?? new Map<string, number>();
    const kind = `${host} ${isIP(data)}`;
    if (flush === true && !flushed.has(kind)) {
      flushed.add(kind);
      for (const address of addresses.keys()) if (isIP(address) === isIP(data)) addresses.delete(address);
    }
    if (ttl === 0) addresses.delete(data);
    else if (addresses.has(data) || addresses.size < ADDRESSES_MAX) addresses.set(data, untilMs);
    if (known === undefined && addresses.size > 0) this.#hosts.set(host, addresses);
  }

  #isPointedTo(host: string): boolean {
    for (const { place } of this.#services.values()) if (place?.target === host) return true;
    return false;
  }

  /** (SC2); only what the names in this packet are about is looked at closely. */
  #tell(touched: ReadonlySet<string>): void {
    const there = new Set<NodeId>();
    for (const [name, service] of this.#services) {
      const { place, text } = service;
      const addresses = place === undefined ? undefined : this.#hosts.get(place.target);
      if (place === undefined || text === undefined || addresses === undefined || addresses.size === 0)
        continue;
      if (text.node === this.#self() || there.has(text.node)) continue;
      there.add(text.node);
      if (touched.has(name) || touched.has(place.target))
        this.#tellOne(place.port, text, [...addresses.keys()].sort());
    }
    for (const node of [...this.#told.keys()]) {
      if (there.has(node)) continue;
      this.#told.delete(node);
      this.#events.lost(node);
    }
  }

  #tellOne(port: number, { node, cluster }: NonNullable<Service["text"]>, hosts: readonly string[]): void {
    const found = { node, cluster, addresses: hosts.map((host): HostPort => ({ host, port })) };
    if (JSON.stringify(this.#told.get(node)) === JSON.stringify(found)) return;
    this.#told.set(node, found);
    this.#events.found(found);
  }
}

/** Where a record stands in the order they are taken in. */
function rank({ type }: SeenRecord): number {
  return ["PTR", "SRV", "TXT", "A", "AAAA"].indexOf(typeof type === "string" ? type : "");
}

/** Names a record says something about. */
function namesIn({ name, data, type }: SeenRecord): string[] {
  return [name, type === "PTR" ? data : undefined].flatMap((own) =>
    typeof own === "string" ? own.toLowerCase() : [],
  );
}

function isAddress({ type }: SeenRecord): boolean {
  return type === "A" || type === "AAAA";
}
