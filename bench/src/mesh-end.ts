/**
 * One end of the mesh benchmarks: a node with mesh and wire. Started as a process it is the other node: it joins with the line in its argument
 * and runs one agent that counts what it receives. Ends with the process that started it.
 */
import type { AgentId } from "@glia-os/abi/ids";
import { createSystemClock, createSystemDigests, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import {
  type ClusterStart,
  createMesh,
  type LinkMessage,
  LinkTable,
  type LinkVerdict,
  type Mesh,
  type MeshCells,
} from "@glia-os/mesh-core";
import { createNodeIdentity, createWireTransport } from "@glia-os/mesh-wire";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { quicOnly } from "./quic-only.ts";

/** The agent of the other node. */
export const COUNTING_AGENT: AgentId = "00000000000000000000000000000001" as AgentId;
/** Longer than any run. */
const SESSION_MS = 600_000;

/** A host of one agent that takes every message at once and never moves. */
class CountingCells implements MeshCells {
  readonly #links = new LinkTable();
  received = 0;

  deliver({ link, seq, floor, ask }: LinkMessage): LinkVerdict {
    const verdict = this.#links.offer(link, seq, floor, ask);
    if (verdict.kind === "accepted") this.received++;
    return verdict;
  }

  linkClosed(_agent: AgentId, link: string): void {
    this.#links.close(link);
  }

  describe(): undefined {
    return undefined;
  }

  admit(): Promise<never> {
    return this.#immovable();
  }

  freeze(): Promise<never> {
    return this.#immovable();
  }

  thaw(): Promise<never> {
    return this.#immovable();
  }

  retire(): Promise<never> {
    return this.#immovable();
  }

  stage(): Promise<never> {
    return this.#immovable();
  }

  activate(): Promise<never> {
    return this.#immovable();
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }

  #immovable(): Promise<never> {
    return Promise.reject(new RangeError("the counting agent does not move"));
  }
}

/** A node on 127.0.0.1, started: the founder without a line. */
export async function startMeshEnd(options: {
  readonly joinLine?: string;
  readonly cells?: MeshCells;
  readonly carrier: "tls" | "quic";
}): Promise<Mesh> {
  const { joinLine, cells, carrier } = options;
  const [clock, timers, random] = [createSystemClock(), createSystemTimers(), createSystemRandom()];
  const identity = createNodeIdentity();
  const wire = carrier === "quic" ? quicOnly() : {};
  const start: ClusterStart =
    joinLine === undefined
      ? { kind: "found", clusterSigner: createNodeIdentity() }
      : { kind: "join", line: joinLine };
  const ports = {
    transport: createWireTransport({ identity, clock, timers, random, ...wire }),
    ...{ clock, timers, random, signer: identity, digests: createSystemDigests() },
    ...(cells === undefined ? {} : { cells }),
    ...(joinLine === undefined ? { coordination: createMemoryCoordination({ clock }) } : {}),
  };
  const bind = { host: "127.0.0.1", port: 0 };
  const name = joinLine === undefined ? "sender" : "receiver";
  const mesh = createMesh(ports, { name, role: "core", start, bind, bootEpoch: clock.wallMs() });
  await mesh.start();
  return mesh;
}

async function runOtherEnd(joinLine: string, carrier: "tls" | "quic"): Promise<void> {
  const cells = new CountingCells();
  const mesh = await startMeshEnd({ joinLine, cells, carrier });
  const { sessionId } = await mesh.coordination.openSession(mesh.self, SESSION_MS, "open");
  mesh.setSessionId(sessionId);
  const row = { agent: COUNTING_AGENT, owner: mesh.self, sessionId, status: "running" as const };
  await mesh.coordination.createAgent({ ...row, name: "counting", programHash: "0".repeat(64) }, "create");
  process.once("disconnect", () => void mesh.stop().then(() => process.exit()));
  process.on("message", () => process.send?.({ received: cells.received }));
  process.send?.({ ready: true });
}

if (process.send !== undefined && process.argv[1]?.includes("mesh-end"))
  await runOtherEnd(process.argv[2] ?? "", process.argv[3] === "quic" ? "quic" : "tls");
