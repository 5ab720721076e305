/** Overlay machines of many nodes on one virtual network, with identities that are cheap to make and still checked. */
import {
  type AgentId,
  type ClusterId,
  type Epoch,
  fromHex,
  type NodeId,
  toEpoch,
  toHex,
} from "@glia-os/abi/ids";
import type { Digests, Signer } from "@glia-os/abi/ports";
import { type Certificate, issueCertificate, openCertificate } from "../src/admission/certificate.ts";
import { FIND_METHOD, Kademlia } from "../src/kademlia/kademlia.ts";
import type { NodeRole } from "../src/mesh-types.ts";
import { AgentRecords } from "../src/registry/agent-record.ts";
import { REGISTRY_METHODS, Registry, readRecordAnswer, recordQuestion } from "../src/registry/registry.ts";
import { fullView, kademliaView } from "../src/registry/strategy.ts";
import { type CallFunction, CallNetwork, SeededRandom, VirtualTime } from "../src/testing/index.ts";
import type { VouchOptions } from "../src/vouched.ts";
import { idOf, digests as realDigests } from "./digests.ts";

/** Signatures by hashing: anybody could make them, nobody does by accident. For simulations of thousands of nodes only. */
const cheap: Digests = {
  ...realDigests,
  verify: (key, message, signature) => toHex(signature) === toHex(seal(key, message)),
};

function seal(key: Uint8Array, message: Uint8Array): Uint8Array {
  const half = realDigests.hmacSha256(key, message);
  const signature = new Uint8Array(64);
  signature.set(half);
  signature.set(half, 32);
  return signature;
}

export const digests: Digests = cheap;

export function cheapSigner(n: number, label = "node"): Signer {
  const publicKey = realDigests.sha256(new TextEncoder().encode(`${label} ${n}`));
  return { publicKey, sign: (message) => seal(publicKey, message) };
}

const clusterSigner = cheapSigner(0, "cluster");
export const CLUSTER = toHex(realDigests.sha256(clusterSigner.publicKey)) as ClusterId;

/** The identity of node number `n`, as vouching takes it. */
export function identity(
  n: number,
  role: NodeRole,
  time: VirtualTime,
  signer: Signer = cheapSigner(n),
): VouchOptions {
  const nowMs = Math.floor(time.wallMs());
  const certificate = issueCertificate(clusterSigner, {
    nodeKey: signer.publicKey,
    role,
    issuedMs: nowMs,
    expiresMs: nowMs + 9e10,
  });
  return { signer, digests, cluster: () => CLUSTER, certificate: () => certificate, open: openOnce };
}

const opened = new Map<string, Certificate>();

function openOnce(bytes: Uint8Array): Certificate {
  const key = toHex(bytes);
  const known = opened.get(key) ?? openCertificate(digests, clusterSigner.publicKey, bytes);
  opened.set(key, known);
  return known;
}

export interface OverlayNode {
  readonly n: number;
  readonly id: NodeId;
  readonly role: NodeRole;
  readonly vouch: VouchOptions;
  readonly call: CallFunction;
  readonly kademlia: Kademlia;
  readonly records: AgentRecords;
  readonly registry: Registry;
}

export type StrategyKind = "full-view" | "kademlia";

/** A network of overlay nodes. */
export class Overlay {
  readonly time: VirtualTime = new VirtualTime();
  readonly network: CallNetwork;
  readonly nodes: OverlayNode[] = [];
  readonly #seed: number;
  readonly #kind: StrategyKind;
  #version = 0;

  constructor(seed: number, kind: StrategyKind) {
    this.#seed = seed;
    this.#kind = kind;
    this.network = new CallNetwork(this.time, seed);
  }

  /** Number `n` joins, by way of a few others. */
  async join(n: number, role: NodeRole = "core"): Promise<OverlayNode> {
    const node = this.build(n, role);
    const others = this.nodes.slice(-4).concat(this.nodes.slice(0, 2));
    for (const other of others)
      if (other.role !== "edge") node.kademlia.seen(other.id, { host: "10.0.0.1", port: 1 });
    this.nodes.push(node);
    this.#version++;
    node.kademlia.start();
    node.registry.start();
    if (this.#kind === "kademlia") await this.time.settle(node.kademlia.bootstrap());
    return node;
  }

  build(n: number, role: NodeRole): OverlayNode {
    const vouch = identity(n, role, this.time);
    const id = idOf(vouch.signer);
    const serves = role === "core" || role === "relay";
    const address = { host: "10.0.0.1", port: 1 + (n % 60_000) };
    const call = this.network.caller(id, role);
    const random = new SeededRandom(this.#seed).fork(`node ${n}`);
    const time = this.time;
    const held: { registry?: Registry } = {};
    const kademlia = new Kademlia({
      self: id,
      clock: time,
      timers: time,
      random,
      call,
      serves: () => (serves ? address : undefined),
      addressOf: () => undefined,
      addressHint: () => undefined,
      heldUnder: (key) => held.registry?.valueOf(key),
    });
    const records = new AgentRecords(vouch);
    const ask = async (node: NodeId, key: string): Promise<Uint8Array | undefined> =>
      readRecordAnswer(await call(node, REGISTRY_METHODS.find, recordQuestion(key), { timeoutMs: 2000 }));
    const strategy =
      this.#kind === "kademlia"
        ? kademliaView(kademlia, id, serves)
        : fullView({ self: id, serving: () => this.serving(), version: () => this.#version, ask });
    const registry = new Registry({
      self: id,
      bootEpoch: 1 + n,
      clock: time,
      timers: time,
      random,
      digests,
      records,
      strategy,
      serves,
      addresses: () => [address],
      call,
    });
    held.registry = registry;
    const methods = serves ? [...kademlia.methods(), ...registry.methods()] : registry.methods();
    this.network.join(
      id,
      role,
      methods.filter(([method]) => serves || method !== FIND_METHOD),
    );
    return { n, id, role, vouch, call, kademlia, records, registry };
  }

  serving(): NodeId[] {
    return this.nodes.filter(({ role, id }) => role !== "edge" && this.network.has(id)).map(({ id }) => id);
  }

  /** A node dies; `heard` tells the others at once, as membership would after its timers. */
  kill(node: OverlayNode, heard: boolean): void {
    this.network.leave(node.id);
    node.kademlia.stop();
    node.registry.stop();
    this.#version++;
    if (heard) for (const other of this.nodes) other.kademlia.gone(node.id);
  }

  stop(): void {
    for (const { kademlia, registry } of this.nodes) {
      kademlia.stop();
      registry.stop();
    }
  }

  node(n: number): OverlayNode {
    const found = this.nodes[n];
    if (found === undefined) throw new RangeError(`no node ${n}`);
    return found;
  }
}

export function agentNumber(n: number): AgentId {
  return toHex(fromHex(n.toString(16).padStart(32, "0"))) as AgentId;
}

export const epoch = (n: number): Epoch => toEpoch(n);
