/**
 * A node in this process: its threads, started in order and ended in reverse.
 *
 * CN1. Either `createNode` resolves with a member of the mesh, or it rejects and nothing of the node is left: no thread, socket or lock.
 * CN2. A thread that ends unasked ends the node: `failed` resolves and every call that waits is refused.
 * CN3. A guest that does not yield within its step limit costs its node the agent thread: the thread is ended, so that every call to it is
 *      refused, and the node fails instead of hanging.
 */
import { existsSync } from "node:fs";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { type ErrorRecord, RemoteError } from "@glia-os/abi/errors";
import type { HostPort, LogFields, LogLevel } from "@glia-os/abi/ports";
import { exposition, type MetricSnapshot } from "@glia-os/host";
import { Heartbeat, StepWatch } from "@glia-os/wasm";
import type { AgentThreadService } from "./agent-thread.ts";
import type { AgentsApi } from "./agents/agents-api.ts";
import { agentsFace } from "./agents/agents-face.ts";
import { DataFolder, type Membership } from "./data-folder.ts";
import { type EndsApi, endsFace } from "./ends/ends-api.ts";
import { BadOptionsError, GuestStuckError, ThreadGoneError } from "./errors.ts";
import { type JobApi, jobFace } from "./jobs/job-api.ts";
import { type LogPage, type LogQuestion, LogRing } from "./logs/log-ring.ts";
import type { LogsApi } from "./logs/logs-service.ts";
import type { MainService } from "./main-service.ts";
import type { MeshService } from "./mesh-service.ts";
import type { MeshThreadService } from "./mesh-thread.ts";
import { MESH_METRIC_HELP } from "./metric-help.ts";
import type { MovementApi } from "./movement/movement-api.ts";
import { movementFace } from "./movement/movement-face.ts";
import type { NodeApi } from "./node-api.ts";
import type { NodeEvent } from "./node-event.ts";
import { checkNodeOptions, type NodeOptions } from "./node-options.ts";
import type { NodeService } from "./node-service.ts";
import type { NodeStatus } from "./node-views.ts";
import { type QueueApi, queueFace } from "./queue/queue-api.ts";
import { ROOMY_HEAPS } from "./roomy-heap.ts";
import type { SurveyApi } from "./survey/survey-service.ts";
import { linkThreads, type Remote, type ThreadLink } from "./thread-call.ts";
import { createProgress } from "./thread-progress.ts";
import type { AgentThreadSetup, MeshThreadSetup } from "./thread-setup.ts";
import type { UpgradeApi } from "./upgrade/upgrade-api.ts";
import { upgradeFace } from "./upgrade/upgrade-face.ts";
import type { WorkService } from "./work-service.ts";

/** A node of this process. */
export type LocalNode = NodeApi & {
  /** The address others dial; undefined on a client. */
  readonly address: HostPort | undefined;
};

type MeshFace = MeshThreadService &
  NodeService &
  MeshService &
  WorkService &
  AgentsApi &
  QueueApi &
  EndsApi &
  SurveyApi &
  LogsApi &
  MovementApi &
  UpgradeApi &
  JobApi;

/** How often a step is looked for that takes too long: it adds to the time until one is noticed, and wakes an idle node. */
const WATCH_EVERY_MS = 2000;
/** How long a guest may run without a blocking call when the options do not say. */
const STEP_MS = 10_000;
/** Young generation of a thread's heap: a node's threads make little garbage that lives long, and memory is for guests. */
const YOUNG_GENERATION_MB = 4;
/** How long a thread may take to stop in order before it is ended. */
const STOP_TIMEOUT_MS = 5000;
/** Longer than an answer from another node over a fast network, with all threads on its way asleep. */
const ANSWER_MS = 0.5;
/** How long the agents' thread may take to hand over what it measured. */
const MEASURE_TIMEOUT_MS = 500;

function workerUrl(name: string): URL {
  return new URL(import.meta.url.endsWith(".ts") ? `./${name}.ts` : `./${name}.js`, import.meta.url);
}

/** Start a node. @throws the typed refusals of the data folder, the wire and the mesh (CN1). */
export async function createNode(options: NodeOptions): Promise<LocalNode> {
  const name = checkNodeOptions(options);
  const folder = new DataFolder(options.dataDir);
  try {
    checkFolder(folder, options);
    const threads = new NodeThreads(options, name, folder);
    return await threads.start();
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** A folder belongs to one cluster: founding or joining another would orphan what is in it. */
function checkFolder(folder: DataFolder, { start }: NodeOptions): void {
  if (
    start.kind === "new-cluster" &&
    (existsSync(folder.file("membership.json")) || existsSync(folder.file("cluster-key.pem")))
  )
    throw new BadOptionsError(
      `The data folder ${folder.path} belongs to a cluster already; start it with resume, or use an empty one`,
    );
}

class NodeThreads implements MainService {
  readonly #options: NodeOptions;
  readonly #name: string;
  readonly #folder: DataFolder;
  readonly #failed = Promise.withResolvers<Error>();
  readonly #workers: Worker[] = [];
  readonly #links: ThreadLink<object>[] = [];
  readonly #progress = createProgress();
  readonly #logs = new LogRing(() => Date.now());
  #agents: Remote<AgentThreadService> | undefined;
  #watch: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: NodeOptions, name: string, folder: DataFolder) {
    this.#options = options;
    this.#name = name;
    this.#folder = folder;
  }

  async start(): Promise<LocalNode> {
    const agentPort = this.#options.role === "client" ? undefined : this.#startAgentThread();
    const mesh = this.#startMeshThread(agentPort);
    try {
      this.#folder.keepMembership(await mesh.startNode());
      const { address } = (await mesh.status()) as NodeStatus;
      return this.#face(mesh, address);
    } catch (error) {
      await this.#stop(mesh);
      throw error;
    }
  }

  // What the threads tell (MainService)

  log(level: LogLevel, message: string, fields: LogFields): void {
    this.#logs.line(level, message, fields);
    this.#options.logger?.log(level, message, fields);
  }

  logsHere(question: LogQuestion): Promise<LogPage> {
    return this.#logs.ask(question);
  }

  event(event: NodeEvent): void {
    this.#logs.event(event);
    this.#options.onEvent?.(event);
  }

  keepMembership(membership: Membership): boolean {
    try {
      this.#folder.keepMembership(membership);
      return true;
    } catch (error) {
      this.log("error", "what the node needs to come back could not be kept", { error: String(error) });
      return false;
    }
  }

  fatal(error: ErrorRecord): void {
    this.#failed.resolve(new RemoteError(error));
  }

  #startAgentThread(): MessagePort {
    const toMesh = new MessageChannel();
    const toMain = new MessageChannel();
    const heartbeat = new Heartbeat();
    const setup: AgentThreadSetup = {
      meshPort: toMesh.port2,
      mainPort: toMain.port2,
      heartbeat: heartbeat.shared,
      progress: this.#progress,
      stepMs: this.#options.stepMs ?? STEP_MS,
      services: this.#options.services ?? {},
      dataDir: this.#folder.path,
      programs: this.#options.programs,
      guestWorker: this.#options.workers?.guest,
    };
    const worker = this.#worker("agent-worker", this.#options.workers?.agent, setup, [
      toMesh.port2,
      toMain.port2,
    ]);
    const link = linkThreads<AgentThreadService>(toMain.port1, this);
    this.#links.push(link);
    this.#agents = link.remote;
    const watch = new StepWatch(heartbeat.shared);
    this.#watch = setInterval(
      () => {
        const step = watch.overdue();
        if (step === undefined) return;
        this.#failed.resolve(new GuestStuckError(step.runningMs, step.limitMs));
        void worker.terminate();
      },
      Math.min(WATCH_EVERY_MS, setup.stepMs),
    );
    this.#watch.unref();
    return toMesh.port1;
  }

  #startMeshThread(agentPort: MessagePort | undefined): Remote<MeshFace> {
    const toMain = new MessageChannel();
    const { bind, role, start, jobs, traces, mesh = {}, movement = {} } = this.#options;
    const setup: MeshThreadSetup = {
      dataDir: this.#folder.path,
      name: this.#name,
      role,
      bind,
      start,
      mesh,
      jobs,
      movement,
      traces,
      membership: this.#folder.membership(),
      bootEpoch: this.#folder.nextBoot(),
      mainPort: toMain.port2,
      agentPort,
      agentProgress: agentPort === undefined ? undefined : this.#progress,
    };
    const ports = agentPort === undefined ? [toMain.port2] : [toMain.port2, agentPort];
    this.#worker("mesh-worker", this.#options.workers?.mesh, setup, ports);
    const link = linkThreads<MeshFace>(toMain.port1, this, "offers", ANSWER_MS);
    this.#links.push(link);
    return link.remote;
  }

  #worker(name: string, given: URL | undefined, setup: object, transferList: MessagePort[]): Worker {
    const options = {
      workerData: setup,
      transferList,
      name: `glia-${name}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    };
    const worker = ROOMY_HEAPS.start(() => new Worker(given ?? workerUrl(name), options));
    worker.on("error", (error) =>
      this.#failed.resolve(error instanceof Error ? error : new ThreadGoneError()),
    );
    worker.on("exit", () => {
      if (this.#stopping !== undefined) return;
      this.#failed.resolve(new ThreadGoneError());
    });
    this.#workers.push(worker);
    return worker;
  }

  #stop(mesh: Remote<MeshFace>): Promise<void> {
    this.#stopping ??= this.#stopThreads(mesh);
    return this.#stopping;
  }

  async #stopThreads(mesh: Remote<MeshFace>): Promise<void> {
    clearInterval(this.#watch);
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(() => patience.resolve(), STOP_TIMEOUT_MS);
    await Promise.race([mesh.stopNode().catch(() => undefined), patience.promise]);
    clearTimeout(timer);
    for (const link of this.#links) link.close();
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#folder.close();
  }

  /** Both threads' measures as one text; an agents' thread that stands still is left out. */
  async #metrics(mesh: Remote<MeshFace>): Promise<string> {
    const patience = Promise.withResolvers<readonly MetricSnapshot[]>();
    const timer = setTimeout(() => patience.resolve([]), MEASURE_TIMEOUT_MS);
    const agents = this.#agents?.measured().catch(() => []) ?? [];
    const measured = await Promise.all([mesh.measured(), Promise.race([agents, patience.promise])]);
    clearTimeout(timer);
    const byName = measured.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
    return exposition(byName, { help: MESH_METRIC_HELP });
  }

  #face(mesh: Remote<MeshFace>, address: HostPort | undefined): LocalNode {
    return {
      address,
      failed: this.#failed.promise,
      status: async () => ({
        ...((await mesh.status()) as NodeStatus),
        pid: process.pid,
        rssBytes: process.memoryUsage.rss(),
      }),
      createJoinLine: (line) => mesh.createJoinLine(line),
      members: () => mesh.members(),
      ping: (node, timeoutMs) => mesh.ping(node, timeoutMs),
      route: (target) => mesh.route(target),
      removeNode: (node) => mesh.removeNode(node),
      certificates: () => mesh.certificates(),
      rotateCertificate: () => mesh.rotateCertificate(),
      rotateClusterKey: (overlap) => mesh.rotateClusterKey(overlap),
      metrics: () => this.#metrics(mesh),
      submitJob: (job) => mesh.submitJob(job),
      putBlob: (bytes) => mesh.putBlob(bytes),
      getBlob: (hash) => mesh.getBlob(hash),
      listAgents: () => mesh.listAgents(),
      survey: () => mesh.survey(),
      logs: (question) => mesh.logs(question),
      ...movementFace(mesh),
      ...jobFace(mesh),
      ...agentsFace(mesh),
      ...queueFace(mesh),
      ...endsFace(mesh),
      ...upgradeFace(mesh),
      spawn: (request) => mesh.spawn(request),
      send: (agent, payload) => mesh.send(agent, payload),
      ask: (agent, payload, timeoutMs) => mesh.ask(agent, payload, timeoutMs),
      flush: (agent, timeoutMs) => mesh.flush(agent, timeoutMs),
      migrate: async (agent, to, { strategy, onPhase } = {}) => {
        const report = await mesh.migrate(agent, to, strategy);
        if (onPhase !== undefined) report.phases.forEach(onPhase);
        return report;
      },
      terminate: (agent) => mesh.terminate(agent),
      stop: () => this.#stop(mesh),
    };
  }
}
