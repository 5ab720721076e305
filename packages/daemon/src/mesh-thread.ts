/**
 * Composes the mesh side of a node and serves it to the main thread.
 *
 * MT1. Everything is started in order and stopped in reverse order; a start that fails stops what was started.
 * MT2. The node's key and the cluster's key stay on this thread.
 * MT3. While the agents' thread stands still this node doubts itself (local health) and its lease is not renewed: a wedged node does not
 *      look alive for long.
 * MT4. A node that a member says was removed cannot go on: nobody speaks to it any more, and it comes back only with a new join line.
 */
import { join } from "node:path";
import { toErrorRecord } from "@glia-os/abi/errors";
import type { Blobs, Coordination, Logger, Random, Timers, Tracer } from "@glia-os/abi/ports";
import { createSystemClock, createSystemDigests, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createMemoryMeter, type MetricSnapshot } from "@glia-os/host";
import { type ClusterStart, createMesh, credentialsOf, type Mesh, type MeshEvent } from "@glia-os/mesh-core";
import { loadOrCreateNodeIdentity, type NodeIdentity, type WireTransport } from "@glia-os/mesh-wire";
import { type AgentGate, openAgentGate } from "./agent-gate.ts";
import { type BegunRotation, ClusterKeyFiles } from "./cluster-key.ts";
import type { Membership } from "./data-folder.ts";
import { recoverDomains } from "./domain/recover-domains.ts";
import { BadOptionsError, RemovedError } from "./errors.ts";
import type { MainService } from "./main-service.ts";
import { type MeshDiscovery, openMeshDiscovery } from "./mesh-discovery.ts";
import { tellMeshEvent } from "./mesh-events.ts";
import { openNodeBlobs } from "./node-blobs.ts";
import { NodeJobs } from "./node-jobs.ts";
import { NodeService } from "./node-service.ts";
import { FAST_LEASE_MS, LEASE_MS, SessionKeeper } from "./node-session.ts";
import { openNodeWire } from "./node-wire.ts";
import { openServices, type ServicesParts } from "./open-services.ts";
import { NodeMessages } from "./otel/node-messages.ts";
import { openTracer } from "./otel/open-tracer.ts";
import { servePagesFirst } from "./postcopy/serve-first.ts";
import { ReplicaService } from "./replica/replica-service.ts";
import { MoveLog } from "./survey/move-log.ts";
import { linkThreads, type ThreadLink } from "./thread-call.ts";
import { threadLogger } from "./thread-log.ts";
import { ProgressWatch } from "./thread-progress.ts";
import type { MeshThreadSetup } from "./thread-setup.ts";
import { watchAnchor } from "./watch-anchor.ts";

/** What the main thread asks of the mesh thread beside the node's operations. */
export interface MeshThreadService {
  /** Start everything; what to keep in the data folder comes back. */
  startNode(): Promise<Membership>;
  /** Stop everything. Idempotent. */
  stopNode(): Promise<void>;
  /** What was measured on this thread. */
  measured(): readonly MetricSnapshot[];
}

/** Local health while the agents' thread stands still: probes are four times as patient. */
const STALLED_HEALTH = 3;

/** The mesh thread of one node. */
export class MeshThread implements MeshThreadService {
  readonly #setup: MeshThreadSetup;
  readonly #main: ThreadLink<MainService>;
  readonly #logger: Logger;
  readonly #clock = createSystemClock();
  readonly #random: Random = createSystemRandom();
  readonly #timers: Timers = createSystemTimers();
  readonly #digests = createSystemDigests();
  readonly #meter = createMemoryMeter();
  readonly #startedMs = this.#clock.monotonicMs();
  readonly #stops: (() => unknown)[] = [];
  readonly #moves = new MoveLog(this.#clock);
  readonly #keys: ClusterKeyFiles;
  #services: readonly object[] = [];
  #replicas: ReplicaService | undefined;
  #agentsStalled = false;
  #expelled = false;

  constructor(setup: MeshThreadSetup) {
    this.#setup = setup;
    this.#keys = new ClusterKeyFiles(setup.dataDir, this.#random);
    this.#main = linkThreads<MainService>(setup.mainPort, this.#face(), "accepts");
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

  measured(): readonly MetricSnapshot[] {
    const uptimeSeconds = (this.#clock.monotonicMs() - this.#startedMs) / 1000;
    this.#meter.gauge("mielin_uptime_seconds", uptimeSeconds, { node: this.#setup.name });
    this.#replicas?.measure();
    return this.#meter.snapshot();
  }

  /** Operations go to the services once the node runs; starting and stopping are this object's own. */
  #face(): object {
    const own = {
      startNode: () => this.startNode(),
      stopNode: () => this.stopNode(),
      measured: () => this.measured(),
    };
    return new Proxy(own, {
      get: (_, name) => {
        for (const service of [own, ...this.#services]) {
          const method = (service as Record<string | symbol, unknown>)[name];
          if (typeof method === "function") return method.bind(service);
        }
        return undefined;
      },
    });
  }

  async #start(): Promise<Membership> {
    const { role, agentPort, mesh: settings, membership } = this.#setup;
    const begun = await this.#begunRotation();
    const identity = await loadOrCreateNodeIdentity(this.#file("identity.pem"), this.#random);
    const { transport, whyNoQuic } = this.#openWire(identity);
    const coordination = await this.#openCoordination();
    const tracer = await this.#openTracer();
    const traced = tracer === undefined ? undefined : this.#openMessages(tracer);
    const gate = agentPort === undefined ? undefined : this.#openGate(agentPort, traced);
    const discovery = settings.mdns === true ? await this.#openDiscovery() : undefined;
    const jobs = this.#openJobs(tracer);
    const blobs = this.#openBlobs();
    const heard = membership && (await discovery?.contacts(credentialsOf(this.#digests, membership).cluster));
    const parts = { identity, transport, coordination, gate, heard, jobs, blobs, tracer };
    const mesh = await this.#startMesh(parts);
    gate?.bind(mesh);
    jobs?.bind(mesh);
    discovery?.attach(mesh, transport.hasQuic);
    const keeper = role === "client" ? undefined : await this.#openSession(mesh);
    const sessionId = (): string => keeper?.sessionId ?? "";
    if (gate) this.#openReplicas(mesh, gate, sessionId);
    const services = await openServices({
      ...this.#ports(),
      setup: this.#setup,
      main: this.#main,
      mesh,
      transport,
      whyNoQuic,
      mdns: discovery !== undefined,
      signer: identity,
      keys: this.#keys,
      gate,
      replicas: this.#replicas,
      jobs,
      blobs,
      tracer,
      traced,
      moves: this.#moves,
      digests: this.#digests,
      sessionId,
      membership: () => membershipOf(mesh),
      agentsStalled: () => this.#agentsStalled,
      onStop: (stop) => this.#stops.push(stop),
    });
    this.#services = services.all;
    if (begun !== undefined) await services.mesh.finishRotation(begun);
    this.#watchAgents(mesh, keeper, gate);
    if (gate) this.#stops.push(recoverDomains({ ...this.#ports(), mesh, gate, sessionId }));
    if (mesh.anchor !== mesh.self) this.#watchAnchor(mesh, services.node);
    return membershipOf(mesh);
  }

  #file(name: string): string {
    return join(this.#setup.dataDir, name);
  }

  /** A rotation of the cluster's key that was cut off, unless what was kept names the new key: then it only takes its place. */
  async #begunRotation(): Promise<BegunRotation | undefined> {
    const { start, membership } = this.#setup;
    if (start.kind !== "resume" || membership === undefined) return undefined;
    const begun = await this.#keys.begun();
    if (begun === undefined) return undefined;
    const { newestKey } = credentialsOf(this.#digests, membership);
    if (Buffer.compare(newestKey, begun.next.publicKey) !== 0) return begun;
    await this.#keys.finish();
    return undefined;
  }

  #openWire(identity: NodeIdentity): ReturnType<typeof openNodeWire> {
    const wire = openNodeWire({
      identity,
      mode: this.#setup.mesh.transport ?? "auto",
      ...this.#ports(),
    });
    this.#stops.push(() => wire.transport.close());
    if (wire.whyNoQuic !== undefined) {
      this.#main.tell.event({ kind: "no-quic", why: wire.whyNoQuic });
      this.#logger.log("info", "requests go over TLS", { why: wire.whyNoQuic });
    }
    return wire;
  }

  #openGate(port: NonNullable<MeshThreadSetup["agentPort"]>, traced: NodeMessages | undefined): AgentGate {
    const gate = openAgentGate({
      port,
      traced,
      clock: this.#clock,
      timers: this.#timers,
      random: this.#random,
      logger: this.#logger,
      ended: (agent, epoch, why, failed) => {
        this.#main.tell.event({ kind: "agent-ended", agent, why });
        const service = this.#services.find((one) => one instanceof NodeService);
        return service?.endRow(agent, epoch, failed ? why : undefined) ?? Promise.resolve(false);
      },
    });
    this.#stops.push(() => gate.close());
    return gate;
  }

  async #openTracer(): Promise<Tracer | undefined> {
    const opened = await openTracer(this.#setup);
    if (opened !== undefined) this.#stops.push(opened.close);
    return opened?.tracer;
  }

  #openMessages(tracer: Tracer): NodeMessages {
    const traced = new NodeMessages(tracer, this.#clock);
    this.#stops.push(() => traced.close());
    return traced;
  }

  #openJobs(tracer: Tracer | undefined): NodeJobs | undefined {
    const { jobs: settings } = this.#setup;
    if (settings === undefined) return undefined;
    const jobs = new NodeJobs(settings, tracer);
    this.#stops.push(() => jobs.close());
    return jobs;
  }

  /** Not on a client: it keeps nothing. */
  #openBlobs(): Blobs | undefined {
    if (this.#setup.role === "client") return undefined;
    const blobs = openNodeBlobs(this.#file("blobs"));
    this.#stops.push(() => blobs.close());
    return blobs;
  }

  async #openDiscovery(): Promise<MeshDiscovery | undefined> {
    const discovery = await openMeshDiscovery({
      clock: this.#clock,
      timers: this.#timers,
      logger: this.#logger,
    });
    if (discovery !== undefined) this.#stops.push(() => discovery.close());
    return discovery;
  }

  /** On the founder only: the engine that holds the truth. */
  async #openCoordination(): Promise<Coordination | undefined> {
    if (!this.#isFounder()) return undefined;
    const { openSqliteCoordination } = await import("@glia-os/store/sqlite");
    const coordination = await openSqliteCoordination({ path: this.#file("coordination.db") });
    this.#stops.push(() => coordination.close());
    return coordination;
  }

  #isFounder(): boolean {
    const { start } = this.#setup;
    return start.kind === "new-cluster" || (start.kind === "resume" && this.#keys.exists);
  }

  async #clusterStart(heard: Membership["contacts"] = []): Promise<ClusterStart> {
    const { start, membership, dataDir } = this.#setup;
    if (start.kind === "join") return start;
    const clusterSigner = this.#isFounder() ? await this.#keys.load() : undefined;
    if (start.kind === "new-cluster") return { kind: "found", clusterSigner: clusterSigner as NodeIdentity };
    if (membership === undefined)
      throw new BadOptionsError(`The data folder ${dataDir} belongs to no cluster yet`);
    const { contacts, ...credentials } = membership;
    return {
      kind: "member",
      credentials,
      contacts: [...heard, ...contacts],
      ...(clusterSigner === undefined ? {} : { clusterSigner }),
    };
  }

  async #startMesh(parts: {
    readonly identity: NodeIdentity;
    readonly transport: WireTransport;
    readonly coordination: Coordination | undefined;
    readonly gate: AgentGate | undefined;
    readonly heard: Membership["contacts"] | undefined;
    readonly jobs: NodeJobs | undefined;
    readonly blobs: Blobs | undefined;
    readonly tracer: Tracer | undefined;
  }): Promise<Mesh> {
    const { name, role, bind, bootEpoch, mesh: settings } = this.#setup;
    const { identity, transport, coordination, gate, jobs, blobs } = parts;
    const ports = {
      transport,
      clock: this.#clock,
      timers: this.#timers,
      random: this.#random,
      signer: identity,
      digests: this.#digests,
      logger: this.#logger,
      meter: this.#meter,
      tracer: parts.tracer,
      ...(gate === undefined ? {} : { cells: gate.gate }),
      ...(coordination === undefined ? {} : { coordination }),
      ...(jobs === undefined ? {} : { jobs: jobs.queue }),
      ...(blobs === undefined ? {} : { blobs }),
    };
    const mesh = createMesh(ports, {
      name,
      role,
      start: await this.#clusterStart(parts.heard),
      bootEpoch,
      membership: settings.profile ?? "lan",
      minorityPolicy: settings.minorityPolicy ?? "continue",
      ...(jobs === undefined ? {} : { features: [jobs.feature] }),
      ...(bind === undefined ? {} : { bind }),
    });
    mesh.onEvent((event) => this.#tellEvent(event, mesh));
    await mesh.start();
    this.#stops.push(() => mesh.stop());
    this.#stops.push(() => servePagesFirst(mesh, this.#logger));
    return mesh;
  }

  /** What most services are made of. */
  #ports(): Pick<ServicesParts, "clock" | "timers" | "random" | "meter" | "logger"> {
    const [clock, timers, random] = [this.#clock, this.#timers, this.#random];
    return { clock, timers, random, meter: this.#meter, logger: this.#logger };
  }

  #openReplicas(mesh: Mesh, { gate, replicas }: AgentGate, sessionId: () => string): void {
    const alive = (): boolean => !this.#agentsStalled;
    const service = new ReplicaService({ ...this.#ports(), mesh, gate, replicas, sessionId, alive });
    this.#replicas = service;
    this.#stops.push(() => service.stop());
  }

  async #openSession(mesh: Mesh): Promise<SessionKeeper> {
    const keeper = new SessionKeeper({
      node: mesh.self,
      coordination: mesh.coordination,
      timers: this.#timers,
      random: this.#random,
      logger: this.#logger,
      leaseMs: this.#setup.mesh.profile === "fast" ? FAST_LEASE_MS : LEASE_MS,
      onSession: ({ sessionId }) => {
        mesh.setSessionId(sessionId);
        void this.#replicas?.sessionChanged();
      },
    });
    await keeper.open();
    this.#stops.push(() => keeper.close());
    return keeper;
  }

  /** MT3. */
  #watchAgents(mesh: Mesh, keeper: SessionKeeper | undefined, agents: AgentGate | undefined): void {
    const { agentProgress } = this.#setup;
    if (agentProgress === undefined) return;
    const turn = (stalled: boolean): void => {
      this.#agentsStalled = stalled;
      mesh.setHealthFloor(stalled ? STALLED_HEALTH : 0);
      if (stalled) keeper?.hold();
      else keeper?.release();
      this.#main.tell.event({ kind: "agents", change: stalled ? "stalled" : "back" });
      this.#logger.log(
        "warn",
        stalled ? "the agents' thread stands still" : "the agents' thread gets on",
        {},
      );
    };
    const watch = new ProgressWatch({
      shared: agentProgress,
      timers: this.#timers,
      stalled: () => turn(true),
      back: () => turn(false),
      atRest: () => (agents?.gate.size ?? 0) === 0,
    });
    this.#stops.push(() => watch.stop());
  }

  #watchAnchor(mesh: Mesh, service: NodeService): void {
    const parts = { mesh, service, timers: this.#timers, logger: this.#logger, main: this.#main };
    this.#stops.push(watchAnchor({ ...parts, isClient: this.#setup.role === "client" }));
  }

  #tellEvent(event: MeshEvent, mesh: Mesh): void {
    if (event.kind === "credentialsChanged") this.#main.tell.keepMembership(membershipOf(mesh));
    // Whoever is removed is a member no more, so a member that speaks of a removal speaks of this node.
    if (event.kind === "refused" && event.code === "mesh.node-removed" && !this.#expelled) {
      this.#expelled = mesh.members().some(({ node }) => node === event.node);
      if (this.#expelled) this.#tellExpelled(event.node, mesh);
    }
    this.#moves.take(event);
    tellMeshEvent(event, (told) => this.#main.tell.event(told), this.#logger);
  }

  /** MT4. */
  #tellExpelled(by: string, mesh: Mesh): void {
    const name = mesh.members().find(({ node }) => node === by)?.name ?? by.slice(0, 12);
    this.#main.tell.event({ kind: "expelled", by });
    this.#main.tell.fatal(new RemovedError(name).toRecord());
  }
}

/** What a restarted node comes back with; everybody who is alive now is a contact. */
function membershipOf(mesh: Mesh): Membership {
  const contacts = mesh
    .members()
    .filter(({ node, state }) => node !== mesh.self && state === "alive")
    .map(({ address }) => address);
  return { ...mesh.credentials(), contacts };
}
