/** Composes the agent side of a node: a kernel, the WebAssembly engine and the runner of its cells. */
import type { Logger } from "@glia-os/abi/ports";
import {
  type CellGatePort,
  CellRunner,
  type ImageCodec,
  type PagesGatePort,
  type ReplicaPort,
} from "@glia-os/cells";
import { type CellDesks, RunnersByKind } from "@glia-os/cells/domain";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createMemoryMeter, type MetricSnapshot, runKernel } from "@glia-os/host";
import { createKernel } from "@glia-os/kernel";
import { createWasmEngine, encodeSnapshot, Heartbeat, SnapshotDecoder } from "@glia-os/wasm";
import { agentServices } from "./agent-services.ts";
import { agentsService } from "./agents/agents-service.ts";
import { type ActsPort, oneService } from "./agents/outbox-port.ts";
import { cutPieces } from "./cut-pieces.ts";
import { openDomainCells } from "./domain/domain-cells.ts";
import type { DesksPort } from "./domain/domain-ports.ts";
import { givingImages } from "./given-images.ts";
import { guestModules } from "./guest-modules.ts";
import { GUEST_WORKER } from "./guest-worker-url.ts";
import type { MainService } from "./main-service.ts";
import { pagesCodec } from "./postcopy/pages-codec.ts";
import { pagesRunner } from "./postcopy/pages-runner.ts";
import { readAhead } from "./read-ahead.ts";
import { checkpointCodec } from "./replica/checkpoint-codec.ts";
import { replicaRunner } from "./replica/replica-runner.ts";
import { linkThreads, type Told } from "./thread-call.ts";
import { threadLogger } from "./thread-log.ts";
import { answerProgress } from "./thread-progress.ts";
import type { AgentThreadSetup } from "./thread-setup.ts";
import { upgradeRunner } from "./upgrade/upgrade-runner.ts";

/** What the main thread asks of the agents' thread. */
export interface AgentThreadService {
  /** What the kernel of the agents measured. */
  measured(): readonly MetricSnapshot[];
}

/** Snapshots as `@glia-os/wasm` writes them. */
const SNAPSHOTS: ImageCodec = {
  encode: (image) => cutPieces(encodeSnapshot(image)),
  decoder: (imageBytes) => new SnapshotDecoder({ imageBytes }),
};

/** Run the agent side of a node on this thread. */
export function runAgentThread(setup: AgentThreadSetup): void {
  const { meshPort, mainPort, heartbeat, progress, stepMs, dataDir, programs, services } = setup;
  const meter = createMemoryMeter();
  const main = linkThreads<MainService>(mainPort, { measured: () => meter.snapshot() });
  const logger: Logger = threadLogger((level, message, fields) => main.tell.log(level, message, fields), {
    thread: "agents",
  });
  const clock = createSystemClock();
  const timers = createSystemTimers();
  const kernel = createKernel({ clock, random: createSystemRandom(), logger, meter });
  const engine = createWasmEngine({
    heartbeat: new Heartbeat(heartbeat),
    hostModules: guestModules(),
  });
  let gate: Told<CellGatePort & ActsPort & DesksPort & ReplicaPort & PagesGatePort> | undefined;
  const toGate: CellGatePort = {
    taken: (agent, count, bytes) => gate?.taken(agent, count, bytes),
    replied: (agent, asker, payload) => gate?.replied(agent, asker, payload),
    ended: (agent, end) => gate?.ended(agent, end),
  };
  const agents = agentsService({
    kernel,
    timers,
    cellOf: (task) => runner.cellOf(task),
    acted: (agent, acts) => gate?.acted(agent, acts),
  });
  const runner: CellRunner = new CellRunner({
    limits: { stepMs },
    kernel,
    engine,
    codec: SNAPSHOTS,
    ahead: readAhead,
    pages: {
      codec: pagesCodec({ worker: setup.guestWorker ?? GUEST_WORKER, stepMs }),
      gate: {
        said: (agent, bytes) => gate?.said(agent, bytes),
        whole: (agent) => gate?.whole(agent),
      },
    },
    clock,
    timers,
    logger,
    gate: toGate,
    replication: {
      codec: checkpointCodec,
      port: {
        inputs: (agent, entry, outputs) => gate?.inputs(agent, entry, outputs),
        wantsHeld: (agent, number) => gate?.wantsHeld(agent, number),
        checkpointed: (agent, number, facts) => gate?.checkpointed(agent, number, facts),
      },
    },
    services: [agents.service, ...agentServices(kernel, services)],
  });
  const desks: CellDesks = {
    begin: (agent, effects) => gate?.deskBegins(agent, effects),
    post: (agent, effects) => gate?.deskPosts(agent, effects),
  };
  const domains =
    programs && openDomainCells({ programs, dataDir, clock, timers, logger, gate: toGate, desks, services });
  const runners = new RunnersByKind(givingImages(runner), domains);
  const pages = pagesRunner(runner, (agent) => domains?.has(agent) === true);
  const more = oneService(oneService(replicaRunner(runner), upgradeRunner(runner, domains)), pages);
  const all = oneService(oneService(runners, more), agents);
  type Gate = CellGatePort & ActsPort & DesksPort & ReplicaPort & PagesGatePort;
  gate = linkThreads<Gate>(meshPort, all, "accepts").tell;
  runKernel(kernel, { timers, logger });
  answerProgress(progress);
}
