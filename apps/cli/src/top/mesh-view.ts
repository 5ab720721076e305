/**
 * The mesh as lines: its nodes, agents and moves.
 *
 * MV1. A rate is the difference of what two surveys counted over the time between them; without an earlier survey, after a restart or a
 *      move that reset a counter, it is shown as `-`.
 */
import type { AgentView, MeshSurvey, MoveView, SurveyedNode } from "@glia-os/daemon";
import { replicasOf } from "../commands/agent-list.ts";
import { standingOf } from "../node/agent-standing.ts";
import { formatBytes, formatCount, formatMs } from "../terminal/amount.ts";
import { formatTable } from "../terminal/table.ts";

/** What agents are sorted by, by the key that asks for it. */
export const SORT_KEYS = { r: "rate", n: "name", w: "waiting", m: "memory" } as const;
/** An order of agents. */
export type AgentOrder = (typeof SORT_KEYS)[keyof typeof SORT_KEYS];

/** Agents shown where nothing cuts the list. */
const AGENTS_PRINTED = 200;
const SHORT_ID = 12;
/** Moves that ended are shown this many. */
const MOVES_SHOWN = 8;

/** Two surveys, the later one shown. */
export interface SurveyPair {
  readonly now: MeshSurvey;
  readonly before: MeshSurvey | undefined;
}

/** The lines people see. */
export function meshLines(pair: SurveyPair, order: AgentOrder): string[] {
  const { nodes, agents } = pair.now;
  const alive = nodes.filter(({ state }) => state === "alive").length;
  const self = nodes.find((node) => node.self);
  const moves = movesOf(nodes);
  const underWay = moves.filter(({ move }) => move.state === "under-way").length;
  const queued = nodes.reduce((sum, { report }) => sum + (report?.queued ?? 0), 0);
  const kept = queued === 0 ? "" : `  ${formatCount(queued)} messages kept`;
  return [
    `glia top  mesh from ${self?.name ?? "a client"}  ${alive} of ${nodes.length} nodes alive  ${agents.length} agents  ${underWay} on the move${kept}`,
    "",
    ...nodeTable(pair),
    ...(agents.length === 0 ? [] : ["", ...agentTable(pair, order)]),
    ...(moves.length === 0 ? [] : ["", ...moveTable(moves, pair.now)]),
  ];
}

/** Messages that each agent received per second since the survey before (MV1). */
export function agentRates({ now, before }: SurveyPair): ReadonlyMap<string, number> {
  const rates = new Map<string, number>();
  if (before === undefined || now.atMs <= before.atMs) return rates;
  const counted = new Map(before.agents.map(({ agent, live }) => [agent, live?.received]));
  for (const { agent, live } of now.agents) {
    const earlier = counted.get(agent);
    if (live === undefined || earlier === undefined || live.received < earlier) continue;
    rates.set(agent, (1000 * (live.received - earlier)) / (now.atMs - before.atMs));
  }
  return rates;
}

/** Share of one processor that each node used since the survey before, in percent (MV1). */
export function nodeLoads({ now, before }: SurveyPair): ReadonlyMap<string, number> {
  const loads = new Map<string, number>();
  const counted = new Map(before?.nodes.map(({ node, report }) => [node, report]));
  for (const { node, report } of now.nodes) {
    const earlier = counted.get(node);
    if (report === undefined || earlier === undefined || report.uptimeMs <= earlier.uptimeMs) continue;
    loads.set(node, (100 * (report.cpuMs - earlier.cpuMs)) / (report.uptimeMs - earlier.uptimeMs));
  }
  return loads;
}

function nodeTable(pair: SurveyPair): string[] {
  const loads = nodeLoads(pair);
  const withJobs = pair.now.nodes.some(({ report }) => report?.jobs !== undefined);
  const head = ["NODE", "ROLE", "STATE", "UP", "CPU", "MEMORY", "AGENTS", "RTT"];
  const rows = pair.now.nodes.map((node) => [
    ...nodeRow(node, loads.get(node.node)),
    ...(withJobs ? [jobsOf(node)] : []),
  ]);
  const aligns = ["left", "left", "left", "right", "right", "right", "right", "right"] as const;
  return formatTable(withJobs ? [...head, "JOBS"] : head, rows, aligns);
}

function nodeRow(
  { name, role, state, anchor, self, session, report }: SurveyedNode,
  load: number | undefined,
): string[] {
  const silent = state === "alive" && report === undefined;
  return [
    `${name}${self ? " *" : ""}`,
    anchor ? `${role}, anchor` : role,
    silent ? "silent" : state,
    report === undefined ? "-" : formatMs(report.uptimeMs),
    load === undefined ? "-" : `${load.toFixed(1)} %`,
    report === undefined ? "-" : formatBytes(report.rssBytes),
    report === undefined ? "-" : String(report.hosting),
    session?.rttMs === undefined ? "-" : formatMs(session.rttMs),
  ];
}

function jobsOf({ report }: SurveyedNode): string {
  if (report?.jobs === undefined) return "-";
  const { running, slots, waiting, finished } = report.jobs;
  return `${running} of ${slots}, ${waiting} wait, ${formatCount(finished)} done`;
}

function agentTable(pair: SurveyPair, order: AgentOrder): string[] {
  const rates = agentRates(pair);
  const sorted = pair.now.agents.toSorted(comparing(order, rates));
  const isAny = sorted.some(({ replicas, live }) => replicas !== undefined || live?.replica !== undefined);
  const rows = sorted
    .slice(0, AGENTS_PRINTED)
    .map((agent) => [...agentRow(agent, rates.get(agent.agent)), ...(isAny ? [replicasOf(agent)] : [])]);
  const head = ["AGENT", "ON", "STATUS", "EPOCH", "WAITING", "RECEIVED", "PER S", "MEMORY"];
  const aligns = ["left", "left", "left", "right", "right", "right", "right", "right", "left"] as const;
  const more = sorted.length - rows.length;
  return [
    ...formatTable(isAny ? [...head, "REPLICAS"] : head, rows, aligns),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

function comparing(
  order: AgentOrder,
  rates: ReadonlyMap<string, number>,
): (a: AgentView, b: AgentView) => number {
  const byName = (a: AgentView, b: AgentView): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const sizes: Record<Exclude<AgentOrder, "name">, (agent: AgentView) => number> = {
    rate: ({ agent }) => rates.get(agent) ?? -1,
    waiting: ({ live }) => live?.waiting ?? -1,
    memory: ({ live }) => live?.memoryBytes ?? -1,
  };
  if (order === "name") return byName;
  const size = sizes[order];
  return (a, b) => size(b) - size(a) || byName(a, b);
}

function agentRow(view: AgentView, rate?: number): string[] {
  const { name, owner, ownerName, epoch, live } = view;
  return [
    name,
    ownerName ?? owner.slice(0, SHORT_ID),
    standingOf(view),
    String(epoch),
    live === undefined ? "-" : formatCount(live.waiting),
    live === undefined ? "-" : formatCount(live.received),
    rate === undefined ? "-" : formatCount(Math.round(rate)),
    live === undefined ? "-" : formatBytes(live.memoryBytes),
  ];
}

interface MoveFrom {
  readonly from: string;
  readonly move: MoveView;
}

/** Under way first, then those that ended, newest first, whichever node they began at. */
function movesOf(nodes: readonly SurveyedNode[]): readonly MoveFrom[] {
  const all = nodes.flatMap(({ name, report }) =>
    (report?.moves ?? []).map((move) => ({ from: name, move })),
  );
  const underWay = all.filter(({ move }) => move.state === "under-way");
  const ended = all.filter(({ move }) => move.state !== "under-way");
  const newest = ended.sort((a, b) => b.move.beganMs - a.move.beganMs).slice(0, MOVES_SHOWN);
  return [...underWay, ...newest];
}

function moveTable(moves: readonly MoveFrom[], { nodes, agents }: MeshSurvey): string[] {
  const nodeName = new Map(nodes.map(({ node, name }) => [node as string, name]));
  const agentName = new Map(agents.map(({ agent, name }) => [agent as string, name]));
  const rows = moves.map(({ from, move }) => [
    agentName.get(move.agent) ?? move.agent.slice(0, SHORT_ID),
    `${from} -> ${nodeName.get(move.to) ?? move.to.slice(0, SHORT_ID)}`,
    move.state === "under-way" ? `after ${move.phase ?? "its beginning"}` : move.state,
    move.strategy ?? "-",
    formatMs(move.elapsedMs),
    move.downtimeMs === undefined ? "-" : formatMs(move.downtimeMs),
    move.bytes === undefined ? "-" : formatBytes(move.bytes),
  ]);
  const head = ["MOVE OF", "FROM -> TO", "STATE", "STRATEGY", "TOOK", "DOWN", "STATE BYTES"];
  return formatTable(head, rows, ["left", "left", "left", "left", "right", "right", "right"]);
}
