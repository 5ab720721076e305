/** The same kills in a mesh and in a serf cluster of the same size, and what came of them. */
import { cpus, loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { SerfAgents } from "../serf/agents.ts";
import { Members } from "./members.ts";

/** One kill: when the first and when the last of the others knew, in milliseconds after it, and how many did. */
export interface Kill {
  readonly firstMs: number;
  readonly allMs: number;
  readonly heard: number;
}

/** What one cluster did. */
export interface Detection {
  readonly kills: readonly Kill[];
  /** How often a member said of a running one that it is dead. */
  readonly falsePositives: number;
  /** Runnable processes on this machine over the last minute, at the beginning and at the end. */
  readonly load: { readonly before: number; readonly after: number };
}

/** A cluster of either kind. */
interface Cluster {
  kill(index: number, limitMs: number): Promise<Kill>;
  deaths(): readonly { readonly member: number; readonly atMs: number }[];
  stop(): void;
}

/** Which cluster. */
export type Kind = "glia" | "serf";

const KILL_LIMIT_MS = 60_000;
/** Time for a cluster that just met to come to rest. */
const SETTLE_MS = 5000;
const APART_MS = 2000;

async function start(kind: Kind, size: number): Promise<Cluster> {
  if (kind === "serf") {
    const agents = await SerfAgents.start(size);
    return {
      kill: (index, limitMs) => agents.kill(index, limitMs),
      deaths: () => agents.failures,
      stop: () => agents.stop(),
    };
  }
  const members = await Members.start({ size, profile: "lan" });
  return {
    kill: (index, limitMs) => members.kill(index, limitMs),
    deaths: () => members.seen.filter(({ state }) => state === "dead"),
    stop: () => members.stop(),
  };
}

/** Start a cluster, kill its last members one after the other, and end it; also when `signal` is aborted. */
export async function killsOf(
  kind: Kind,
  { size, kills, signal }: { readonly size: number; readonly kills: number; readonly signal?: AbortSignal },
  report: (line: string) => void = () => {},
): Promise<Detection> {
  const before = machineLoad();
  const cluster = await start(kind, size);
  const stop = (): void => cluster.stop();
  signal?.addEventListener("abort", stop);
  try {
    await sleep(SETTLE_MS);
    const done: Kill[] = [];
    const killedMs = new Map<number, number>();
    for (let i = 0; i < kills; i++) {
      const index = size - 1 - i;
      killedMs.set(index, performance.now());
      const kill = await cluster.kill(index, KILL_LIMIT_MS);
      done.push({ firstMs: tenths(kill.firstMs), allMs: tenths(kill.allMs), heard: kill.heard });
      report(
        `${kind}: kill ${i + 1} of ${kills}: first after ${Math.round(kill.firstMs)} ms, last after ${Math.round(kill.allMs)} ms, heard by ${kill.heard}`,
      );
      await sleep(APART_MS);
    }
    const wrong = cluster.deaths().filter(({ member, atMs }) => atMs < (killedMs.get(member) ?? Infinity));
    return { kills: done, falsePositives: wrong.length, load: { before, after: machineLoad() } };
  } finally {
    signal?.removeEventListener("abort", stop);
    stop();
  }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function machineLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

/** What this machine is. */
export function machineFacts(): { readonly cpu: string; readonly cores: number; readonly node: string } {
  const [first] = cpus();
  return { cpu: first?.model.trim() ?? "unknown", cores: cpus().length, node: process.version };
}
