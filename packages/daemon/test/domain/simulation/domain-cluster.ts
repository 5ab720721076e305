/**
 * Nodes with the shipped durable cells, their recovery and the mesh on virtual time. A node that crashes keeps its disk and nothing else, and is
 * started again.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentId, type Epoch, type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import type { Coordination, Journal, Logger } from "@glia-os/abi/ports";
import { type AgentManifest, CellGate, type CellGatePort, type CellRunnerPort } from "@glia-os/cells";
import {
  type CellMessage,
  type CellOnDisk,
  type CellStore,
  DomainRunner,
  RunnersByKind,
} from "@glia-os/cells/domain";
import type { DurableProgram } from "@glia-os/durable";
import { type Credentials, createMesh, type Mesh, type MeshConfig } from "@glia-os/mesh-core";
import {
  CALM,
  MemoryNetwork,
  type NetworkProcess,
  SeededRandom,
  VirtualTime,
} from "@glia-os/mesh-core/testing";
import { SIMULATED_DIGESTS, simulatedSigner } from "@glia-os/sim";
import { createMemoryJournal } from "@glia-os/store/journal-memory";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { DomainRecovery } from "../../../src/domain/domain-recovery.ts";

const LEASE_MS = 15_000;
export const AGENT = "ab".repeat(16) as AgentId;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);

/** Keeps what it got; a message that is asked is answered with the list. Begins anew after every seventh. */
const LEDGER: DurableProgram<unknown> = {
  name: "ledger",
  uses: ["cell"],
  run: (input) =>
    function* (sys, inbox, cell) {
      const list: string[] = Array.isArray(input) ? [...(input as string[])] : [];
      for (let n = 0; n < 7; n++) {
        const message = (yield* sys.receive(inbox)) as CellMessage;
        list.push(text(message.payload));
        if (message.ask)
          yield* sys.exec(cell as never, { reply: message.id, payload: bytes(list.join(",")) });
      }
      return yield* sys.checkpoint(list);
    },
};

/** What outlives a process. */
class Disk {
  readonly journal: Journal = createMemoryJournal();
  readonly cells = new Map<AgentId, CellOnDisk>();
}

/** A port that a process uses while it runs: afterwards nothing of it happens, and no call is answered. */
function during<Port extends object>(port: Port, runs: () => boolean): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const value = (target as Record<string | symbol, unknown>)[name];
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (!runs()) return new Promise(() => undefined);
        const result: unknown = value.apply(target, args);
        if (!(result instanceof Promise)) return result;
        return result.then(
          (answer) => (runs() ? answer : new Promise(() => undefined)),
          (error: unknown) => (runs() ? Promise.reject(error) : new Promise(() => undefined)),
        );
      };
    },
  });
}

/** A node's present life. */
export interface DomainNode {
  readonly id: NodeId;
  readonly n: number;
  readonly mesh: Mesh;
  readonly gate: CellGate;
  readonly process: NetworkProcess;
  sessionId: string;
}

/** Some nodes; the first is the anchor. */
export class DomainCluster {
  readonly time: VirtualTime = new VirtualTime();
  readonly network: MemoryNetwork;
  readonly coordination: Coordination;
  readonly nodes: DomainNode[] = [];
  readonly ended: string[] = [];
  readonly #disks: Disk[] = [];
  readonly #kept: Credentials[] = [];
  readonly #seed: number;
  #sessions = 0;
  #lives = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.network = new MemoryNetwork(this.time, SIMULATED_DIGESTS, seed, CALM);
    this.coordination = createMemoryCoordination({ clock: this.time });
  }

  async boot(count: number): Promise<void> {
    let line = "";
    for (let n = 0; n < count; n++) {
      this.#disks.push(new Disk());
      const clusterSigner = simulatedSigner("cluster");
      const node = await this.#live(n, n === 0 ? { kind: "found", clusterSigner } : { kind: "join", line });
      if (n === 0) line = node.mesh.createJoinLine({ ttlMs: 86_400_000, uses: 100 });
      this.#kept[n] = node.mesh.credentials();
    }
    await this.time.advance(2000);
  }

  /** The node comes back with its disk. */
  async restart(n: number): Promise<void> {
    const contacts = this.nodes
      .filter((node) => node.n !== n && node.process.running)
      .map(({ mesh }) => mesh.address);
    const signer = n === 0 ? { clusterSigner: simulatedSigner("cluster") } : {};
    const credentials = this.#kept[n] as Credentials;
    const known = contacts.filter((address) => address !== undefined);
    for (let left = 10; ; left--) {
      try {
        await this.#live(n, { kind: "member", credentials, contacts: known, ...signer });
        return;
      } catch (error) {
        // On a network that loses much a start may take several attempts, as that of any service.
        if (errorCodeOf(error) !== "mesh.join-timeout" || left === 0) throw error;
        this.nodes[n]?.process.crash();
      }
    }
  }

  /** Start the agent on a node. */
  async spawn(at: DomainNode): Promise<void> {
    const row = {
      agent: AGENT,
      owner: at.id,
      sessionId: at.sessionId,
      status: "running" as const,
      name: "agent",
      programHash: "0".repeat(64),
    };
    const { epoch } = await this.time.settle(at.mesh.coordination.createAgent(row, "create"));
    const manifest: AgentManifest = {
      name: "agent",
      program: bytes("ledger"),
      grants: [],
      memoryPages: 1,
      kind: "domain",
    };
    await this.time.settle(at.gate.start(AGENT, epoch as Epoch, manifest));
  }

  /** Running nodes on which the agent is live. */
  live(): readonly DomainNode[] {
    return this.nodes.filter(
      ({ gate, process }) => process.running && gate.stands(AGENT)?.state === "running",
    );
  }

  /** Which nodes have something of the agent on their disk. */
  async stored(): Promise<readonly number[]> {
    const found: number[] = [];
    for (const [n, disk] of this.#disks.entries())
      if (disk.cells.has(AGENT) || (await disk.journal.head(AGENT)) !== undefined) found.push(n);
    return found;
  }

  async #live(n: number, start: MeshConfig["start"]): Promise<DomainNode> {
    const node = this.#build(n, start);
    this.nodes[n] = node.node;
    await this.time.settle(node.node.mesh.start());
    await this.time.settle(this.#keepLease(node.node));
    void node.recovery.start();
    return node.node;
  }

  #build(
    n: number,
    start: MeshConfig["start"],
  ): { readonly node: DomainNode; readonly recovery: DomainRecovery } {
    const signer = simulatedSigner(`node ${n}`);
    const id = nodeIdOf(signer.publicKey, SIMULATED_DIGESTS.sha256);
    const process = this.network.process({ node: id, publicKey: signer.publicKey });
    const random = new SeededRandom(this.#seed * 1000 + this.#lives++);
    const { gate, runner } = this.#cells(this.#disks[n] as Disk, process, random.fork("cells"));
    const { clock, timers, transport } = process;
    const mesh = createMesh(
      {
        transport,
        clock,
        timers,
        random,
        signer,
        digests: SIMULATED_DIGESTS,
        cells: gate,
        ...(n === 0 ? { coordination: during(this.coordination, () => process.running) } : {}),
      },
      {
        name: `node-${n}`,
        role: n === 0 ? "core" : "edge",
        start,
        bootEpoch: this.#lives,
        bind: { host: "memory", port: 0 },
      },
    );
    const node: DomainNode = { id, n, mesh, gate, process, sessionId: "" };
    const recovery = new DomainRecovery({
      self: id,
      gate,
      kept: runner,
      coordination: mesh.coordination,
      clock,
      timers,
      random: random.fork("recovery"),
      logger: QUIET,
      sessionId: () => node.sessionId,
    });
    return { node, recovery };
  }

  #cells(
    disk: Disk,
    process: NetworkProcess,
    random: SeededRandom,
  ): { gate: CellGate; runner: RunnersByKind } {
    const runs = (): boolean => process.running;
    const store: CellStore = {
      put: async (cell) => void disk.cells.set(cell.agent, cell),
      list: async () => [...disk.cells.values()],
      remove: async (agent) => void disk.cells.delete(agent),
      putNext: async ({ agent, meta: next }) => {
        const cell = disk.cells.get(agent);
        if (cell !== undefined) disk.cells.set(agent, { ...cell, next });
      },
      takeNext: async (agent) => {
        const { next } = disk.cells.get(agent) ?? {};
        if (next !== undefined) disk.cells.set(agent, { agent, meta: next });
      },
      dropNext: async (agent) => {
        const { meta } = disk.cells.get(agent) ?? {};
        if (meta !== undefined) disk.cells.set(agent, { agent, meta });
      },
    };
    const late: { gate?: CellGate } = {};
    const toGate: CellGatePort = {
      taken: (agent, count, size) => late.gate?.taken(agent, count, size),
      replied: (agent, asker, payload) => process.running && late.gate?.replied(agent, asker, payload),
      ended: (agent, end) => late.gate?.ended(agent, end),
    };
    const domains = new DomainRunner({
      journal: during(disk.journal, runs),
      store: during(store, runs),
      loader: { load: async () => LEDGER },
      clock: process.clock,
      timers: process.timers,
      digests: SIMULATED_DIGESTS,
      random,
      logger: QUIET,
      gate: toGate,
      historyBytes: 1500,
    });
    const runner = new RunnersByKind({} as CellRunnerPort, domains);
    late.gate = new CellGate({
      runner,
      kept: runner,
      clock: process.clock,
      events: {
        replyReady: (agent, { link, seq, from }, payload) =>
          this.#meshOf(process)?.pushReply(from, { agent, link, seq, payload }),
        cellEnded: (_, __, end) => void (process.running && this.ended.push(JSON.stringify(end))),
      },
    });
    return { gate: late.gate, runner };
  }

  #meshOf(process: NetworkProcess): Mesh | undefined {
    return this.nodes.find((node) => node.process === process)?.mesh;
  }

  /** Opens a session, renews it, and opens another when it ended, as nodes do. */
  async #keepLease(node: DomainNode): Promise<void> {
    const { coordination } = node.mesh;
    try {
      if (node.sessionId !== "") await coordination.renewSession(node.sessionId);
      else {
        const opened = await coordination.openSession(node.id, LEASE_MS, `session ${++this.#sessions}`);
        node.sessionId = opened.sessionId;
        node.mesh.setSessionId(opened.sessionId);
      }
      node.process.timers.schedule(LEASE_MS / 3, () => void this.#keepLease(node));
    } catch (error) {
      if (errorCodeOf(error) === "mesh.stopped") return;
      if (errorCodeOf(error) !== "mesh.anchor-unreachable") node.sessionId = "";
      node.process.timers.schedule(1000, () => void this.#keepLease(node));
    }
  }
}

const QUIET: Logger = { log: () => undefined, child: () => QUIET };
