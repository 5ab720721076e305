/**
 * Composes the mesh side of a node and serves it to the main thread.
 *
 * MT1. Everything is started in order and stopped in reverse order; a start that fails stops what was started.
 * MT2. The node's key and the cluster's key stay on this thread.
 */
import { join } from "node:path";
import { toErrorRecord } from "@glia-os/abi/errors";
import type { Coordination, Logger, Random, Timers } from "@glia-os/abi/ports";
import { CellGate, type CellGatePort, type CellRunnerPort } from "@glia-os/cells";
import { createSystemClock, createSystemDigests, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { type ClusterStart, createMesh, type Mesh, type MeshEvent } from "@glia-os/mesh-core";
import {
  createWireTransport,
  loadOrCreateNodeIdentity,
  type NodeIdentity,
  type WireTransport,
} from "@glia-os/mesh-wire";
import { AnchorWatch } from "./anchor-watch.ts";
import type { Membership } from "./data-folder.ts";
import { AnchorLostError, BadOptionsError } from "./errors.ts";
import type { MainService } from "./main-service.ts";
import { NodeService } from "./node-service.ts";
import { SessionKeeper } from "./node-session.ts";
import { runnerOverThread } from "./runner-over-thread.ts";
import { linkThreads, type ThreadLink } from "./thread-call.ts";
import { threadLogger } from "./thread-log.ts";
import type { MeshThreadSetup } from "./thread-setup.ts";

/** What the main thread asks of the mesh thread beside the node's operations. */
export interface MeshThreadService {
  /** Start everything; what to keep in the data folder comes back. */
  startNode(): Promise<Membership>;
  /** Stop everything. Idempotent. */
  stopNode(): Promise<void>;
}

/** The mesh thread of one node. */
export class MeshThread implements MeshThreadService {
  readonly #setup: MeshThreadSetup;
  readonly #main: ThreadLink<MainService>;
  readonly #logger: Logger;
  readonly #clock = createSystemClock();
  readonly #random: Random = createSystemRandom();
  readonly #timers: Timers = createSystemTimers();
  readonly #stops: (() => unknown)[] = [];
  #service: NodeService | undefined;

  constructor(setup: MeshThreadSetup) {
    this.#setup = setup;
    this.#main = linkThreads<MainService>(setup.mainPort, this.#face());
    this.#logger = threadLogger((level, message, fields) => this.#main.tell.log(level, message, fields), {
      thread: "mesh",
    });
  }

  async startNode(): Promise<Membership> {
    try {
      return await this.#start();
    } catch (error) {
      await this.stopNode();
      throw error;
    }
  }

  async stopNode(): Promise<void> {
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      try {
        await stop();
      } catch (error) {
        this.#logger.log("warn", "a part did not stop", { error: toErrorRecord(error).message });
      }
    }
  }

  /** Operations go to the service once the node runs; starting and stopping are this object's own. */
  #face(): object {
    const own = { startNode: () => this.startNode(), stopNode: () => this.stopNode() };
    return new Proxy(own, {
      get: (target, name) => {
        if (name in target) return target[name as keyof typeof own];
        const service = this.#service as unknown as Record<string | symbol, unknown> | undefined;
        const method = service?.[name];
        return typeof method === "function" ? method.bind(service) : undefined;
      },
    });
  }

  async #start(): Promise<Membership> {
    const { role, agentPort } = this.#setup;
    const identity = await loadOrCreateNodeIdentity(this.#file("identity.pem"), this.#random);
    const transport = this.#startTransport(identity);
    const coordination = await this.#openCoordination();
    const gate = agentPort === undefined ? undefined : this.#startGate();
    const mesh = await this.#startMesh(identity, transport, coordination, gate?.gate);
    if (gate !== undefined) gate.bind(mesh);
    const keeper = role === "client" ? undefined : await this.#openSession(mesh);
    this.#service = new NodeService({
      mesh,
      gate: gate?.gate,
      signer: identity,
      digests: createSystemDigests(),
      random: this.#random,
      clock: this.#clock,
      timers: this.#timers,
      logger: this.#logger,
      transport: "tls-tcp",
      sessionId: () => keeper?.sessionId ?? "",
    });
    if (mesh.anchor !== mesh.self) this.#watchAnchor(mesh, this.#service);
    return { ...mesh.credentials(), contacts: contactsOf(mesh) };
  }

  #file(name: string): string {
    return join(this.#setup.dataDir, name);
  }

  #startTransport(identity: NodeIdentity): WireTransport {
    const transport = createWireTransport({
      identity,
      clock: this.#clock,
      timers: this.#timers,
      random: this.#random,
      logger: this.#logger,
      onCertificate: ({ notAfterMs }) =>
        this.#logger.log("info", "the certificate was replaced", {
          until: new Date(notAfterMs).toISOString(),
        }),
      onPeerExpired: ({ peer }) =>
        this.#logger.log("warn", "a session ends: the certificate of its peer has expired", { node: peer }),
    });
    this.#stops.push(() => transport.close());
    return transport;
  }

  /** On the founder only: the engine that holds the truth. */
  async #openCoordination(): Promise<Coordination | undefined> {
    if (!(await this.#isFounder())) return undefined;
    const { openSqliteCoordination } = await import("@glia-os/store/sqlite");
    const coordination = await openSqliteCoordination({ path: this.#file("coordination.db") });
    this.#stops.push(() => coordination.close());
    return coordination;
  }

  async #isFounder(): Promise<boolean> {
    if (this.#setup.start.kind === "new-cluster") return true;
    if (this.#setup.start.kind === "join") return false;
    const { existsSync } = await import("node:fs");
    return existsSync(this.#file("cluster-key.pem"));
  }

  async #clusterStart(): Promise<ClusterStart> {
    const { start, membership } = this.#setup;
    if (start.kind === "join") return start;
    const founder = await this.#isFounder();
    const clusterSigner = founder
      ? await loadOrCreateNodeIdentity(this.#file("cluster-key.pem"), this.#random)
      : undefined;
    if (start.kind === "new-cluster") return { kind: "found", clusterSigner: clusterSigner as NodeIdentity };
    if (membership === undefined)
      throw new BadOptionsError(`The data folder ${this.#setup.dataDir} belongs to no cluster yet`);
    const { contacts, ...credentials } = membership;
    return {
      kind: "member",
      credentials,
      contacts,
      ...(clusterSigner === undefined ? {} : { clusterSigner }),
    };
  }

  #startGate(): { readonly gate: CellGate; readonly bind: (mesh: Mesh) => void } {
    let mesh: Mesh | undefined;
    let gate: CellGate | undefined;
    const fromRunner: CellGatePort = {
      taken: (agent, count, bytes) => gate?.taken(agent, count, bytes),
      replied: (agent, asker, payload) => gate?.replied(agent, asker, payload),
      ended: (agent, end) => gate?.ended(agent, end),
    };
    const link = linkThreads<CellRunnerPort>(
      this.#setup.agentPort as NonNullable<MeshThreadSetup["agentPort"]>,
      fromRunner,
    );
    this.#stops.push(() => link.close());
    gate = new CellGate({
      runner: runnerOverThread(link),
      clock: this.#clock,
      logger: this.#logger,
      events: {
        replyReady: (agent, { link: id, seq, from }, payload) =>
          mesh?.pushReply(from, { agent, link: id, seq, payload }),
        cellEnded: (agent, epoch, end) => {
          const why = end.kind === "failed" ? end.message : `finished with status ${end.status}`;
          this.#main.tell.event({ kind: "agent-ended", agent, why });
          void this.#service?.endRow(agent, epoch);
        },
      },
    });
    return {
      gate,
      bind: (started) => {
        mesh = started;
      },
    };
  }

  async #startMesh(
    identity: NodeIdentity,
    transport: WireTransport,
    coordination: Coordination | undefined,
    cells: CellGate | undefined,
  ): Promise<Mesh> {
    const { name, role, bind, bootEpoch } = this.#setup;
    const ports = {
      transport,
      clock: this.#clock,
      timers: this.#timers,
      random: this.#random,
      signer: identity,
      digests: createSystemDigests(),
      logger: this.#logger,
      ...(cells === undefined ? {} : { cells }),
      ...(coordination === undefined ? {} : { coordination }),
    };
    const start = await this.#clusterStart();
    const mesh = createMesh(ports, { name, role, start, bootEpoch, ...(bind === undefined ? {} : { bind }) });
    mesh.onEvent((event) => this.#tellEvent(event, mesh));
    await mesh.start();
    this.#stops.push(() => mesh.stop());
    return mesh;
  }

  async #openSession(mesh: Mesh): Promise<SessionKeeper> {
    const keeper = new SessionKeeper({
      node: mesh.self,
      coordination: mesh.coordination,
      timers: this.#timers,
      random: this.#random,
      logger: this.#logger,
      onSession: ({ sessionId }) => mesh.setSessionId(sessionId),
    });
    await keeper.open();
    this.#stops.push(() => keeper.close());
    return keeper;
  }

  #watchAnchor(mesh: Mesh, service: NodeService): void {
    const anchorName = (): string =>
      mesh.members().find(({ node }) => node === mesh.anchor)?.name ?? mesh.anchor.slice(0, 12);
    const watch = new AnchorWatch({
      timers: this.#timers,
      ping: (timeoutMs) => service.pingAnchor(timeoutMs),
      lost: (why) => {
        this.#main.tell.event({ kind: "anchor", change: "lost", why });
        this.#logger.log("error", "the anchor is gone", { why });
        if (this.#setup.role === "client")
          this.#main.tell.fatal(new AnchorLostError(anchorName(), why).toRecord());
      },
      back: () => {
        this.#main.tell.event({ kind: "anchor", change: "back", why: "it answers again" });
        this.#logger.log("info", "the anchor is back");
      },
    });
    this.#stops.push(() => watch.stop());
  }

  #tellEvent(event: MeshEvent, mesh: Mesh): void {
    const { tell } = this.#main;
    switch (event.kind) {
      case "migrationPhase": {
        const { phase, startedMs, endedMs, bytes } = event.phase;
        tell.event({
          kind: "migration-phase",
          agent: event.agent,
          phase: { phase, ms: endedMs - startedMs, bytes },
        });
        break;
      }
      case "memberUp":
      case "memberSuspect":
      case "memberDead":
      case "memberLeft":
      case "memberRemoved": {
        const change = MEMBER_CHANGES[event.kind];
        tell.event({ kind: "member", change, node: event.member.node, name: event.member.name });
        break;
      }
      case "partition":
      case "quorumLost":
      case "healed": {
        const { kind, reachable, known } = event;
        const change = kind === "quorumLost" ? "lost" : kind;
        tell.event({ kind: "quorum", change, reachable, known });
        break;
      }
      case "credentialsChanged":
        tell.keepMembership({ ...mesh.credentials(), contacts: contactsOf(mesh) });
        break;
      case "refused":
        this.#logger.log("warn", "refused", { node: event.node, code: event.code, why: event.message });
        break;
      default:
        this.#logger.log("debug", event.kind, { node: event.node });
    }
  }
}

const MEMBER_CHANGES = {
  memberUp: "up",
  memberSuspect: "suspect",
  memberDead: "dead",
  memberLeft: "left",
  memberRemoved: "removed",
} as const;

/** Where a restarted node can find its cluster: everybody who is alive now. */
function contactsOf(mesh: Mesh): Membership["contacts"] {
  return mesh
    .members()
    .filter(({ node, state }) => node !== mesh.self && state === "alive")
    .map(({ address }) => address);
}
