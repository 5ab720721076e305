/**
 * Nodes with the shipped cells, kernel, WebAssembly engine and mesh on virtual time, each with a service of its own that tells when it is called.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentId, type Epoch, type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import type { AdmittedProgram, Coordination, Engine, HttpRequest, Logger } from "@glia-os/abi/ports";
import type { Rights } from "@glia-os/abi/syscalls";
import { type AgentManifest, CellGate, type CellGatePort, CellRunner } from "@glia-os/cells";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { createKernel, type Kernel } from "@glia-os/kernel";
import { createMesh, type Mesh, type MeshConfig } from "@glia-os/mesh-core";
import {
  CALM,
  MemoryNetwork,
  type NetworkProcess,
  SeededRandom,
  VirtualTime,
} from "@glia-os/mesh-core/testing";
import { SIMULATED_DIGESTS, simulatedSigner } from "@glia-os/sim";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { createWasmEngine, encodeSnapshot, SnapshotDecoder } from "@glia-os/wasm";
import { instrument } from "@glia-os/wasm/pipeline";

const LEASE_MS = 15_000;
/** What agents are granted here. */
export const GRANTS: readonly string[] = ["glia.v1", "glia.sys.v1", "service/log"];

/** One call of the service `log`. */
export interface LoggedCall {
  readonly node: number;
  readonly text: string;
  readonly atMs: number;
  /** When it was answered. */
  doneMs: number;
}

/** A node. */
export interface CellNode {
  readonly id: NodeId;
  readonly mesh: Mesh;
  readonly gate: CellGate;
  readonly process: NetworkProcess;
  /** Of its lease. */
  sessionId: string;
}

/** A program, compiled once: what takes real time is over before virtual time begins. */
export interface CompiledProgram {
  readonly bytes: Uint8Array;
  readonly engine: Engine;
}

/** Compile a guest and the engine that runs nothing else. */
export async function compileGuest(source: string): Promise<CompiledProgram> {
  const folder = mkdtempSync(join(tmpdir(), "glia-cells-"));
  try {
    writeFileSync(join(folder, "agent.ts"), source);
    const { bytes } = await instrument(await compileAssemblyScript(join(folder, "agent.ts")));
    const admitted: AdmittedProgram = await createWasmEngine().admit(bytes, GRANTS);
    return { bytes, engine: { kind: "wasm", admit: async () => admitted } };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Some nodes with cells. */
export class MovingCells {
  readonly time: VirtualTime = new VirtualTime();
  readonly network: MemoryNetwork;
  readonly coordination: Coordination;
  readonly nodes: CellNode[] = [];
  readonly calls: LoggedCall[] = [];
  readonly ended: string[] = [];
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #program: CompiledProgram;
  #sessions = 0;
  /** How long the service of every node takes, at most. */
  answerMs = 50;

  constructor(seed: number, program: CompiledProgram) {
    this.#seed = seed;
    this.#program = program;
    this.#random = new SeededRandom(seed).fork("cells");
    this.network = new MemoryNetwork(this.time, SIMULATED_DIGESTS, seed, CALM);
    this.coordination = createMemoryCoordination({ clock: this.time });
  }

  /** Start one node per entry, whose service is given with these rights. The first is the anchor. */
  async start(rights: readonly Rights[]): Promise<void> {
    let line = "";
    for (const [n, offered] of rights.entries()) {
      const clusterSigner = simulatedSigner("cluster");
      const node = this.#build(
        n,
        offered,
        n === 0 ? { kind: "found", clusterSigner } : { kind: "join", line },
      );
      this.nodes.push(node);
      await this.time.settle(node.mesh.start());
      if (n === 0) line = node.mesh.createJoinLine({ ttlMs: 86_400_000, uses: 100 });
      await this.time.settle(this.#keepLease(node));
    }
    await this.time.advance(2000);
  }

  /** Start the agent on a node. */
  async spawn(agent: AgentId, at: CellNode): Promise<void> {
    const { sessionId } = at;
    const row = {
      agent,
      owner: at.id,
      sessionId,
      status: "running" as const,
      name: "agent",
      programHash: "0".repeat(64),
    };
    const { epoch } = await this.time.settle(at.mesh.coordination.createAgent(row, "create"));
    const manifest: AgentManifest = {
      name: "agent",
      program: this.#program.bytes,
      grants: [...GRANTS],
      memoryPages: 64,
    };
    await this.time.settle(at.gate.start(agent, epoch as Epoch, manifest));
  }

  #build(n: number, offered: Rights, start: MeshConfig["start"]): CellNode {
    const signer = simulatedSigner(`node ${n}`);
    const id = nodeIdOf(signer.publicKey, SIMULATED_DIGESTS.sha256);
    const process = this.network.process({ node: id, publicKey: signer.publicKey });
    const random = new SeededRandom(this.#seed * 1000 + n);
    const kernel = createKernel({ clock: process.clock, random: random.fork("kernel") });
    const gate = this.#gate(n, kernel, process, offered);
    this.#pump(kernel, process);
    const mesh = createMesh(
      {
        transport: process.transport,
        clock: process.clock,
        timers: process.timers,
        random,
        signer,
        digests: SIMULATED_DIGESTS,
        cells: gate,
        ...(n === 0 ? { coordination: this.coordination } : {}),
      },
      {
        name: `node-${n}`,
        role: n === 0 ? "core" : "edge",
        start,
        bootEpoch: 1,
        bind: { host: "memory", port: 0 },
      },
    );
    return { id, mesh, gate, process, sessionId: "" };
  }

  /** Opens a session, renews it, and opens another when it ended, as nodes do. */
  async #keepLease(node: CellNode): Promise<void> {
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
      // An anchor that is out of reach says nothing about the lease; one that answers does.
      if (errorCodeOf(error) !== "mesh.anchor-unreachable") node.sessionId = "";
      node.process.timers.schedule(1000, () => void this.#keepLease(node));
    }
  }

  #gate(n: number, kernel: Kernel, process: NetworkProcess, offered: Rights): CellGate {
    const logger: Logger = { log: () => undefined, child: () => logger };
    const late: { gate?: CellGate } = {};
    const toGate: CellGatePort = {
      taken: (agent, count, bytes) => late.gate?.taken(agent, count, bytes),
      replied: (agent, asker, payload) => late.gate?.replied(agent, asker, payload),
      ended: (agent, end) => late.gate?.ended(agent, end),
    };
    const runner = new CellRunner({
      kernel,
      engine: this.#program.engine,
      codec: {
        encode: (image) => encodeSnapshot(image),
        decoder: (imageBytes) => new SnapshotDecoder({ imageBytes }),
      },
      clock: process.clock,
      timers: process.timers,
      logger,
      gate: toGate,
      services: [{ name: "log", handle: this.#service(n, kernel, process), rights: offered }],
    });
    const events = {
      replyReady: () => undefined,
      cellEnded: (_: AgentId, __: Epoch, end: unknown) => void this.ended.push(JSON.stringify(end)),
    };
    late.gate = new CellGate({ runner, clock: process.clock, events });
    return late.gate;
  }

  #service(n: number, kernel: Kernel, process: NetworkProcess) {
    return kernel.service<HttpRequest>({
      kind: "http",
      name: "log",
      perform: ({ url }, settle) => {
        const call: LoggedCall = { node: n, text: url, atMs: this.time.monotonicMs(), doneMs: Number.NaN };
        this.calls.push(call);
        process.timers.schedule(this.#random.uint32() % (this.answerMs + 1), () => {
          call.doneMs = this.time.monotonicMs();
          settle.ok({ status: 200, headers: {}, body: new Uint8Array() });
        });
        return undefined;
      },
    });
  }

  /** Runs a kernel whenever it has work, and when its next timer is due. */
  #pump(kernel: Kernel, { timers }: NetworkProcess): void {
    let due = Number.POSITIVE_INFINITY;
    const at = (delayMs: number): void => {
      const atMs = this.time.monotonicMs() + delayMs;
      if (atMs >= due) return;
      due = atMs;
      timers.schedule(delayMs, () => {
        if (due !== atMs) return;
        due = Number.POSITIVE_INFINITY;
        while (kernel.runSlice() === "more");
        const wait = kernel.msUntilDeadline();
        if (wait !== undefined) at(wait);
      });
    };
    kernel.onWork(() => at(0));
    at(0);
  }
}
