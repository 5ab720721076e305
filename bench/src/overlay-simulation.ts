/**
 * The mesh's registry and broadcast at thousands of simulated nodes: the shipped machines over a network of calls on virtual time.
 * Round trips take 10 ms and an exponentially distributed 40 ms on top. Sessions, TLS and real signatures are left out; certificates
 * are the bare keys. Membership is as good as SWIM at that size: a death is known everywhere after 16 s.
 */
import { createHash } from "node:crypto";
import { type AgentId, type ClusterId, type NodeId, nodeIdOf, toEpoch, toHex } from "@glia-os/abi/ids";
import type { Digests, Signer } from "@glia-os/abi/ports";
import {
  AgentRecords,
  Broadcasts,
  Gossip,
  Kademlia,
  kademliaView,
  Registry,
  type VouchOptions,
} from "@glia-os/mesh-core";
import { CallNetwork, SeededRandom, VirtualTime } from "@glia-os/mesh-core/testing";

const sha256 = (data: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(data).digest());
const CLUSTER = toHex(sha256(Uint8Array.of(1))) as ClusterId;
/** Time until every node knows of a death, in milliseconds: what the membership simulation gives for thousands. */
const DEATH_KNOWN_MS = 16_000;

function seal(key: Uint8Array, message: Uint8Array): Uint8Array {
  const half = createHash("sha256").update(key).update(message).digest();
  return new Uint8Array([...half, ...half]);
}

const digests: Digests = {
  sha256,
  hmacSha256: (key, data) => sha256(new Uint8Array([...key, ...data])),
  verify: (key, message, signature) => toHex(signature) === toHex(seal(key, message)),
  equalConstantTime: (a, b) => toHex(a) === toHex(b),
};

function vouchOf(n: number): { readonly id: NodeId; readonly vouch: VouchOptions } {
  const publicKey = sha256(Uint8Array.of(2, n >>> 24, n >>> 16, n >>> 8, n));
  const signer: Signer = { publicKey, sign: (message) => seal(publicKey, message) };
  const open: VouchOptions["open"] = (nodeKey) => {
    const node = nodeIdOf(nodeKey, sha256);
    return { node, nodeKey, role: "core", issuedMs: 0, expiresMs: Number.MAX_SAFE_INTEGER };
  };
  const vouch = { signer, digests, cluster: () => CLUSTER, certificate: () => publicKey, open };
  return { id: nodeIdOf(publicKey, sha256), vouch };
}

/** What one run of the registry is about. */
export interface ChurnOptions {
  readonly nodes: number;
  readonly seed: number;
  /** Half of all nodes live shorter than this, in minutes. */
  readonly medianSessionMinutes: number;
  readonly records: number;
  readonly lookups: number;
  /** Virtual time before and during the lookups, in minutes. */
  readonly warmMinutes: number;
  readonly measuredMinutes: number;
}

/** What came of it. */
export interface ChurnFigures {
  readonly successPercent: number;
  readonly hopsP50: number;
  readonly hopsP99: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly deaths: number;
  readonly calls: number;
}

interface Node {
  readonly id: NodeId;
  readonly kademlia: Kademlia;
  readonly registry: Registry;
}

class Churn {
  readonly time = new VirtualTime();
  readonly network: CallNetwork;
  readonly #o: ChurnOptions;
  readonly #random: SeededRandom;
  readonly alive: Node[] = [];
  readonly owners = new Map<AgentId, Node>();
  deaths = 0;
  #next = 0;
  #agents = 0;

  constructor(options: ChurnOptions) {
    this.#o = options;
    this.#random = new SeededRandom(options.seed);
    this.network = new CallNetwork(this.time, options.seed);
  }

  /** A node joins by way of five that run. */
  join(): Node {
    const { id, vouch } = vouchOf(this.#next++);
    const random = this.#random.fork(`node ${this.#next}`);
    const address = { host: "10.0.0.1", port: 1 };
    const held: { registry?: Registry } = {};
    const { time, network } = this;
    const call = network.caller(id, "core");
    const kademlia = new Kademlia({
      self: id,
      clock: time,
      timers: time,
      random,
      serves: () => address,
      call,
      addressOf: () => address,
      addressHint: () => undefined,
      heldUnder: (key) => held.registry?.valueOf(key),
      refreshMs: 1_800_000,
    });
    const registry = new Registry({
      self: id,
      bootEpoch: 1,
      clock: time,
      timers: time,
      random,
      digests,
      records: new AgentRecords(vouch),
      strategy: kademliaView(kademlia, id, true),
      serves: true,
      addresses: () => [address],
      call,
    });
    held.registry = registry;
    network.join(id, "core", [...kademlia.methods(), ...registry.methods()]);
    for (let i = 0; i < 5 && this.alive.length > 0; i++) kademlia.seen(this.pick().id, address);
    kademlia.start();
    registry.start();
    void kademlia.bootstrap().catch(() => undefined);
    const node = { id, kademlia, registry };
    this.alive.push(node);
    this.time.schedule(this.#sessionMs(), () => this.#die(node));
    return node;
  }

  /** An agent begins on some node. */
  spawn(): void {
    const agent = toHex(
      sha256(Uint8Array.of(3, this.#agents >>> 16, this.#agents >>> 8, this.#agents++)).subarray(0, 16),
    );
    const owner = this.pick();
    this.owners.set(agent as AgentId, owner);
    void owner.registry.publish(agent as AgentId, toEpoch(1)).catch(() => undefined);
  }

  pick(): Node {
    return this.alive[this.#random.uint32() % this.alive.length] as Node;
  }

  #die(node: Node): void {
    this.deaths++;
    this.network.leave(node.id);
    node.kademlia.stop();
    node.registry.stop();
    this.alive.splice(this.alive.indexOf(node), 1);
    for (const [agent, owner] of this.owners)
      if (owner === node) {
        this.owners.delete(agent);
        this.spawn();
      }
    this.time.schedule(DEATH_KNOWN_MS, () => {
      for (const { kademlia } of this.alive) kademlia.gone(node.id);
    });
    this.join();
  }

  #sessionMs(): number {
    const { medianSessionMinutes } = this.#o;
    return (-Math.log(1 - this.#random.fraction()) / Math.LN2) * medianSessionMinutes * 60_000;
  }
}

/** Run it. A lookup counts as successful if it names the node the agent is on; agents that just began are not looked up for 10 s. */
export async function simulateRegistry(options: ChurnOptions): Promise<ChurnFigures> {
  const churn = new Churn(options);
  for (let n = 0; n < options.nodes; n++) {
    churn.join();
    if (n % 20 === 0) await churn.time.advance(200);
  }
  for (let n = 0; n < options.records; n++) churn.spawn();
  await churn.time.advance(options.warmMinutes * 60_000);
  const began = new Map<AgentId, number>();
  const random = new SeededRandom(options.seed).fork("lookups");
  const hops: number[] = [];
  const latencies: number[] = [];
  let tried = 0;
  const pending: Promise<void>[] = [];
  for (let n = 0; n < options.lookups; n++) {
    await churn.time.advance((options.measuredMinutes * 60_000) / options.lookups);
    const nowMs = churn.time.monotonicMs();
    for (const agent of churn.owners.keys()) if (!began.has(agent)) began.set(agent, nowMs);
    const settled = [...churn.owners.keys()].filter(
      (agent) => nowMs - (began.get(agent) ?? nowMs) > 10_000 || n === 0,
    );
    const agent = settled[random.uint32() % Math.max(1, settled.length)];
    if (agent === undefined) continue;
    const owner = churn.owners.get(agent);
    const asker = churn.pick();
    const looked = asker.registry.find(agent).then(
      (located) => {
        // Who died meanwhile is in no position to answer: neither counts.
        if (churn.owners.get(agent) !== owner || !churn.network.has(asker.id)) return;
        tried++;
        if (located?.record.owner !== owner?.id) return;
        hops.push(located?.hops ?? 0);
        latencies.push(churn.time.monotonicMs() - nowMs);
      },
      () => undefined,
    );
    pending.push(looked);
  }
  await churn.time.advance(60_000);
  await Promise.all(pending);
  for (const { kademlia, registry } of churn.alive) {
    kademlia.stop();
    registry.stop();
  }
  return {
    successPercent: (100 * hops.length) / Math.max(1, tried),
    hopsP50: quantile(hops, 0.5),
    hopsP99: quantile(hops, 0.99),
    latencyP50Ms: quantile(latencies, 0.5),
    latencyP99Ms: quantile(latencies, 0.99),
    deaths: churn.deaths,
    calls: churn.network.calls,
  };
}

/** Virtual milliseconds until all of `nodes` heard one broadcast; infinite when one has not after a minute. */
export async function simulateBroadcast(nodes: number, seed: number): Promise<number> {
  const time = new VirtualTime();
  const network = new CallNetwork(time, seed);
  const speakers = Array.from({ length: nodes }, (_, n) => vouchOf(n));
  const ids = speakers.map(({ id }) => id);
  const gossips: Gossip[] = [];
  let lastMs = 0;
  let heard = 0;
  for (const [n, { id, vouch }] of speakers.entries()) {
    const gossip = new Gossip({
      self: id,
      bootEpoch: 1,
      clock: time,
      timers: time,
      random: new SeededRandom(seed).fork(`node ${n}`),
      digests,
      broadcasts: new Broadcasts(vouch),
      peers: () => ids.filter((other) => other !== id),
      call: network.caller(id, "core"),
    });
    network.join(id, "core", gossip.methods());
    gossip.on("news", () => {
      heard++;
      lastMs = time.monotonicMs();
    });
    gossip.start();
    gossips.push(gossip);
  }
  const startMs = time.monotonicMs();
  gossips[seed % nodes]?.send("news", Uint8Array.of(1));
  await time.advanceUntil(() => heard >= nodes, 60_000);
  for (const gossip of gossips) gossip.stop();
  return heard === nodes ? lastMs - startMs : Number.POSITIVE_INFINITY;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
