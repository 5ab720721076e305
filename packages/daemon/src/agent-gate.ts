/** The gate to the cells of a node, on the mesh thread: cells run on another. */

import type { MessagePort } from "node:worker_threads";
import type { Clock, Logger, Random, Timers } from "@glia-os/abi/ports";
import {
  CellGate,
  type CellGatePort,
  type CellRunnerPort,
  CellUpgrades,
  type KeptCells,
  type KeptUpgradePort,
  type PagesGatePort,
  type PagesRunnerPort,
  ReplicaGate,
  type ReplicaPort,
  type ReplicaRunnerPort,
  type UpgradeRunnerPort,
} from "@glia-os/cells";
import type { Mesh } from "@glia-os/mesh-core";
import { AgentsOffice, type AgentsOfficeParts } from "./agents/agents-office.ts";
import type { ActsPort, OutboxPort } from "./agents/outbox-port.ts";
import { baggageWith, DomainOffice } from "./domain/domain-office.ts";
import type { DesksPort, NotesPort } from "./domain/domain-ports.ts";
import type { NodeMessages } from "./otel/node-messages.ts";
import { giveAway } from "./postcopy/give-away.ts";
import { pagesOverThread } from "./postcopy/pages-runner.ts";
import { baggageOf, officeForReplicas } from "./replica/office-for-replicas.ts";
import { keptOverThread, runnerOverThread } from "./runner-over-thread.ts";
import { linkThreads } from "./thread-call.ts";
import { upgradeRunnerOverThread } from "./upgrade/upgrade-runner.ts";

/** What a gate needs. */
export interface AgentGateParts {
  /** To the thread of the cells. */
  readonly port: MessagePort;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  /** The spans of messages, where somebody traces. */
  readonly traced?: NodeMessages | undefined;
  /** A cell ended by itself, because it failed or had done its work. Resolves with whether its row was ended. */
  readonly ended: (
    agent: Parameters<CellGate["terminate"]>[0],
    epoch: CellEpoch,
    why: string,
    failed: boolean,
  ) => Promise<boolean>;
}

type RunnerSide = CellRunnerPort &
  KeptUpgradePort &
  ReplicaRunnerPort &
  KeptCells &
  OutboxPort &
  NotesPort &
  UpgradeRunnerPort &
  PagesRunnerPort;
type CellEpoch = Parameters<CellGate["start"]>[1];

/** A gate; replies go out once a mesh is bound. */
export interface AgentGate {
  readonly gate: CellGate;
  /** Where what agents send leaves. */
  readonly office: AgentsOffice;
  /** The durable cells behind it. */
  readonly kept: KeptCells;
  /** How the code of cells is exchanged. */
  readonly upgrades: CellUpgrades;
  /** What has a replica. */
  readonly replicas: ReplicaGate;
  bind(mesh: Mesh): void;
  close(): void;
}

/** Open the gate. */
export function openAgentGate({
  port,
  clock,
  timers,
  random,
  logger,
  traced,
  ended,
}: AgentGateParts): AgentGate {
  let mesh: Mesh | undefined;
  const fromRunner: CellGatePort & ActsPort & DesksPort & ReplicaPort & PagesGatePort = {
    taken: (agent, count, bytes) => seen.taken(agent, count, bytes),
    replied: (agent, asker, payload) => seen.replied(agent, asker, payload),
    ended: (agent, end) => seen.ended(agent, end),
    said: (agent, bytes) => gate.postcopy?.said(agent, bytes),
    whole: (agent) => gate.postcopy?.whole(agent),
    acted: (agent, acts) => office.acted(agent, acts),
    deskBegins: (agent, effects) => domains.begin(agent, effects),
    deskPosts: (agent, effects) => domains.post(agent, effects),
    inputs: (agent, entry, outputs) => seen.inputs(agent, entry, outputs),
    wantsHeld: (agent, number) => seen.wantsHeld(agent, number),
    checkpointed: (agent, number, facts) => seen.checkpointed(agent, number, facts),
  };
  const link = linkThreads<RunnerSide>(port, fromRunner, "offers");
  const replicas = new ReplicaGate(runnerOverThread(link), clock);
  const kept = keptOverThread(link);
  const parts: AgentsOfficeParts = {
    clock,
    timers,
    random,
    logger,
    traced,
    released: (agent, count) => link.tell.released(agent, count),
    held: (agent, count) => link.tell.held(agent, count),
  };
  const office = new AgentsOffice(parts);
  const recorded = officeForReplicas(office, parts);
  replicas.send(recorded);
  const domains = new DomainOffice({
    office,
    timers,
    gate: () => gate,
    settled: (agent, id, upTo) => link.tell.settled(agent, id, upTo),
    noted: (agent, note) => link.tell.noted(agent, note),
  });
  office.alsoHear((topic) => [...recorded.subscribers(topic), ...domains.subscribers(topic)]);
  const baggage = baggageWith(domains, baggageOf(office, recorded));
  const gate: CellGate = new CellGate({
    runner: replicas.runner(),
    clock,
    logger,
    baggage: traced?.baggage(baggage) ?? baggage,
    mailboxes: office,
    kept,
    pages: replicas.pages(pagesOverThread(link)),
    events: replicas.events({
      replyReady: (agent, { link: id, seq, from }, payload) => {
        traced?.replied({ link: id, seq }, payload);
        mesh?.pushReply(from, { agent, link: id, seq, payload });
      },
      cellEnded: (agent, epoch, end) => {
        if (end.kind === "finished") return ended(agent, epoch, `finished with status ${end.status}`, false);
        const fails = (): Promise<boolean> => ended(agent, epoch, end.message, true);
        if (end.lost !== true || mesh === undefined) return fails();
        return giveAway(mesh, agent, epoch, logger).then((given) => (given ? false : fails()));
      },
    }),
  });
  const seen = replicas.port(gate);
  const seenCells = replicas.cells(gate);
  const cells = traced?.cells(seenCells) ?? seenCells;
  const runner = { ...runnerOverThread(link), ...upgradeRunnerOverThread(link.remote) };
  return {
    gate: cells,
    upgrades: new CellUpgrades({ gate: cells, runner, replicas, clock, timers }),
    replicas,
    office,
    kept,
    bind: (started) => {
      mesh = started;
    },
    close: () => {
      recorded.stop();
      domains.stop();
      office.close();
      link.close();
    },
  };
}
