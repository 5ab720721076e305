/**
 * Builds what a node offers once its mesh runs: the services whose methods the main thread calls.
 *
 * OS1. What a service must end with is told to `onStop` as soon as it is there, so that a start that fails later ends it too.
 */
import { join } from "node:path";
import type {
  Blobs,
  Clock,
  Digests,
  Logger,
  Meter,
  Random,
  Signer,
  Timers,
  Tracer,
} from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";
import type { WireTransport } from "@glia-os/mesh-wire";
import type { AgentGate } from "./agent-gate.ts";
import type { AgentsApi } from "./agents/agents-api.ts";
import { answerAgentsCalls } from "./agents/agents-calls.ts";
import { NoOffice } from "./agents/agents-face.ts";
import type { ClusterKeyFiles } from "./cluster-key.ts";
import type { Membership } from "./data-folder.ts";
import { Absences } from "./ends/absences.ts";
import { AgentEnds } from "./ends/ends-service.ts";
import { LostChildren } from "./ends/lost-children.ts";
import type { JobApi } from "./jobs/job-api.ts";
import { openDurableJobs } from "./jobs/open-durable-jobs.ts";
import { LogsService } from "./logs/logs-service.ts";
import type { MainService } from "./main-service.ts";
import { MeshService } from "./mesh-service.ts";
import { openMovement } from "./movement/open-movement.ts";
import type { NodeJobs } from "./node-jobs.ts";
import { NodeService } from "./node-service.ts";
import { FAST_LEASE_MS, LEASE_MS } from "./node-session.ts";
import type { NodeMessages } from "./otel/node-messages.ts";
import { MessageQueue } from "./queue/message-queue.ts";
import type { ReplicaService } from "./replica/replica-service.ts";
import type { MoveLog } from "./survey/move-log.ts";
import { SurveyService } from "./survey/survey-service.ts";
import type { ThreadLink } from "./thread-call.ts";
import type { MeshThreadSetup } from "./thread-setup.ts";
import { UpgradeService } from "./upgrade/upgrade-service.ts";
import { WorkService } from "./work-service.ts";

/** What the services are made of. */
export interface ServicesParts {
  readonly setup: MeshThreadSetup;
  readonly main: ThreadLink<MainService>;
  readonly mesh: Mesh;
  readonly transport: WireTransport;
  /** Why requests do not go over QUIC; absent when they do. */
  readonly whyNoQuic: string | undefined;
  /** Whether the node is looked for on the local network. */
  readonly mdns: boolean;
  readonly signer: Signer;
  readonly keys: ClusterKeyFiles;
  /** Absent on a client. */
  readonly gate: AgentGate | undefined;
  readonly replicas: ReplicaService | undefined;
  readonly jobs: NodeJobs | undefined;
  readonly blobs: Blobs | undefined;
  readonly tracer: Tracer | undefined;
  /** The spans of messages, where somebody traces. */
  readonly traced: NodeMessages | undefined;
  readonly moves: MoveLog;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly digests: Digests;
  readonly meter: Meter;
  readonly logger: Logger;
  readonly sessionId: () => string;
  readonly membership: () => Membership;
  readonly agentsStalled: () => boolean;
  /** OS1. */
  readonly onStop: (stop: () => unknown) => void;
}

/** The services of a node. */
export interface NodeServices {
  readonly node: NodeService;
  readonly mesh: MeshService;
  /** All of them, in the order in which a method is looked for. */
  readonly all: readonly object[];
}

/** Build them. */
export async function openServices(parts: ServicesParts): Promise<NodeServices> {
  const { main, mesh, gate, jobs, blobs } = parts;
  const absences = openAbsences(parts);
  const ends = openEnds(parts, absences);
  const node = nodeService(parts, ends, absences);
  const meshService = openMeshService(parts, node);
  node.describe(meshService);
  const movement = movementServices(parts, node);
  const queue = await openQueue(parts, node);
  const all = [
    node,
    meshService,
    new WorkService({ mesh, jobs, blobs }),
    await openJobs(parts),
    surveyService(parts, { node, meshService, queue }),
    ...movement,
    new UpgradeService({ mesh, ...gate, agents: node, meter: parts.meter, logger: parts.logger }),
    new LogsService(mesh, (question) => main.remote.logsHere(question)),
    openOffice(parts, node),
    queue,
    ends,
  ];
  return { node, mesh: meshService, all };
}

function nodeService(parts: ServicesParts, ends: AgentEnds, absences: Absences): NodeService {
  const { gate, replicas } = parts;
  return new NodeService({
    ...parts,
    gate: gate?.gate,
    began: (agent, parent) => {
      gate?.office.began(agent, parent);
      ends.began(agent);
    },
    awaySince: (node) => absences.since(node),
    ended: (agent, reason, why) => ends.ended(agent, reason, why),
    replica: (agent) => replicas?.view(agent),
    arriving: (agent) => replicas?.arriving(agent),
  });
}

function openMeshService(parts: ServicesParts, node: NodeService): MeshService {
  const { setup, main, keys, jobs } = parts;
  return new MeshService({
    ...parts,
    settings: setup.mesh,
    dataDir: setup.dataDir,
    keys: keys.exists ? keys : undefined,
    jobs: () => jobs?.view(),
    place: (text) => node.place(text),
    keep: (kept) => main.remote.keepMembership(kept),
  });
}

function surveyService(
  parts: ServicesParts,
  others: { readonly node: NodeService; readonly meshService: MeshService; readonly queue: MessageQueue },
): SurveyService {
  const { node, meshService, queue } = others;
  return new SurveyService({
    ...parts,
    gate: parts.gate?.gate,
    members: () => meshService.members(),
    agents: () => node.listAgents(),
    jobs: () => parts.jobs?.view(),
    queued: () => queue.size,
  });
}

function movementServices(parts: ServicesParts, agents: NodeService): readonly object[] {
  const { setup, gate } = parts;
  const movement = openMovement({
    ...parts,
    gate: gate?.gate,
    agents,
    dataDir: setup.dataDir,
    settings: setup.movement,
    maySlow: setup.mesh.profile !== "fast",
  });
  parts.onStop(() => movement.stop());
  return movement.services;
}

function openAbsences(parts: ServicesParts): Absences {
  const { gate } = parts;
  const awayMs = parts.setup.mesh.profile === "fast" ? FAST_LEASE_MS : LEASE_MS;
  const absences = new Absences({ ...parts, awayMs });
  if (gate !== undefined) {
    const children = new LostChildren({ ...parts, absences, office: gate.office });
    parts.onStop(() => children.stop());
  }
  parts.onStop(() => absences.stop());
  return absences;
}

function openEnds(parts: ServicesParts, absences: Absences): AgentEnds {
  const ends = new AgentEnds({ ...parts, absences, cells: parts.gate?.gate });
  parts.onStop(() => ends.stop());
  return ends;
}

async function openQueue(parts: ServicesParts, agents: NodeService): Promise<MessageQueue> {
  const queue = await MessageQueue.open({
    ...parts,
    agents,
    event: (told) => parts.main.tell.event(told),
    path: join(parts.setup.dataDir, "queue"),
  });
  parts.onStop(() => queue.stop());
  return queue;
}

async function openJobs(parts: ServicesParts): Promise<JobApi> {
  const durable = await openDurableJobs({ ...parts, file: join(parts.setup.dataDir, "jobs.db") });
  parts.onStop(() => durable.stop?.());
  return durable;
}

/** Agents that speak with others, and programs outside that speak with them. */
function openOffice({ mesh, gate }: ServicesParts, node: NodeService): AgentsApi {
  if (gate === undefined) return new NoOffice();
  const { office } = gate;
  office.bind({
    mesh,
    gate: gate.gate,
    spawn: async (manifest, on, beginning) => (await node.spawnOn(manifest, on, beginning)).agent,
  });
  answerAgentsCalls(mesh, office, (manifest, beginning) => node.spawnHere(manifest, beginning));
  return office;
}
