/** A whole cluster in one process: nodes with counting agents on a memory network, a SQLite-free engine on the first. */
import { type AgentId, type Epoch, fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Coordination } from "@glia-os/abi/ports";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { createMesh, type Mesh, type MeshConfig, type MeshEvent, type NodeRole } from "../src/index.ts";
import {
  CALM,
  MemoryNetwork,
  type NetworkFaults,
  type NetworkProcess,
  SeededRandom,
  VirtualTime,
} from "../src/testing/index.ts";
import { CounterCells } from "./counter-cells.ts";
import { digests, idOf, signerOf } from "./digests.ts";

export interface TestNode {
  readonly id: NodeId;
  readonly mesh: Mesh;
  readonly cells: CounterCells;
  readonly process: NetworkProcess;
  readonly events: MeshEvent[];
  sessionId: string;
}

export class Cluster {
  readonly time: VirtualTime = new VirtualTime();
  readonly network: MemoryNetwork;
  readonly engine: Coordination;
  readonly nodes: TestNode[] = [];
  readonly #seed: number;
  #joinLine = "";

  constructor(seed: number, faults: NetworkFaults = CALM) {
    this.#seed = seed;
    this.network = new MemoryNetwork(this.time, digests, seed, faults);
    this.engine = createMemoryCoordination({ clock: this.time });
  }

  get anchor(): TestNode {
    return this.node(0);
  }

  node(n: number): TestNode {
    const node = this.nodes[n];
    if (node === undefined) throw new RangeError(`no node ${n}`);
    return node;
  }

  /** Build, not start, node number `n`. */
  build(n: number, role: NodeRole, start: MeshConfig["start"], more: Partial<MeshConfig> = {}): TestNode {
    const signer = signerOf(n);
    const id = idOf(signer);
    const process = this.network.process({ node: id, publicKey: signer.publicKey });
    const cells = new CounterCells(id, process.timers);
    const client = role === "client";
    const mesh = createMesh(
      {
        transport: process.transport,
        clock: process.clock,
        timers: process.timers,
        random: new SeededRandom(this.#seed * 1000 + n),
        signer,
        digests,
        ...(client ? {} : { cells }),
        ...(start.kind === "found" ? { coordination: this.engine } : {}),
      },
      {
        name: `node-${n}`,
        role,
        start,
        bootEpoch: 1,
        ...(client ? {} : { bind: { host: "memory", port: 0 } }),
        ...more,
      },
    );
    cells.reply = (to, reply) => mesh.pushReply(to, reply);
    const events: MeshEvent[] = [];
    mesh.onEvent((event) => events.push(event));
    const node = { id, mesh, cells, process, events, sessionId: "" };
    return node;
  }

  /** Start a cluster of `size` nodes; every one has a coordination session. */
  async boot(size: number, more: Partial<MeshConfig> = {}): Promise<void> {
    const founder = this.build(0, "core", { kind: "found", clusterSigner: signerOf(0, "cluster") }, more);
    this.nodes.push(founder);
    await this.time.settle(founder.mesh.start());
    this.#joinLine = founder.mesh.createJoinLine({ ttlMs: 86_400_000, uses: 10_000 });
    for (let n = 1; n < size; n++) await this.join(n, "edge", more);
    for (const node of this.nodes) await this.openSession(node);
    await this.time.advance(2000);
  }

  async join(n: number, role: NodeRole, more: Partial<MeshConfig> = {}): Promise<TestNode> {
    const node = this.build(n, role, { kind: "join", line: this.#joinLine }, more);
    this.nodes.push(node);
    await this.time.settle(node.mesh.start());
    return node;
  }

  get joinLine(): string {
    return this.#joinLine;
  }

  async openSession(node: TestNode): Promise<void> {
    const request = node.mesh.coordination.openSession(node.id, 600_000, `open-${node.id.slice(0, 8)}`);
    const { sessionId } = await this.time.settle(request);
    node.sessionId = sessionId;
    node.mesh.setSessionId(sessionId);
  }

  /** Create an agent on a node. */
  async spawn(node: TestNode, n = 1, stateBytes = 100): Promise<AgentId> {
    const agent = agentId(n);
    const row = {
      agent,
      owner: node.id,
      sessionId: node.sessionId,
      status: "running" as const,
      name: `agent-${n}`,
      programHash: "0".repeat(64),
    };
    const created = await this.time.settle(node.mesh.coordination.createAgent(row, `create-${n}`));
    node.cells.start(agent, created.epoch, stateBytes);
    return agent;
  }

  /** The nodes on which the agent is live right now. */
  liveOn(agent: AgentId): TestNode[] {
    return this.nodes.filter(({ cells, process }) => process.running && cells.state(agent) === "live");
  }
}

export function agentId(n: number): AgentId {
  return toHex(fromHex(n.toString(16).padStart(32, "0"))) as AgentId;
}

/** Number `n` as payload. */
export function payload(n: number): Uint8Array {
  return Uint8Array.of((n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
}

export function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

export type { Epoch };
