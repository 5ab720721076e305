/**
 * What agents do together, in one thread: quorums, channels and pipelines on the local system, and a broadcast among simulated agents. The
 * quorum on loopback goes over QUIC between two nodes of this process, its voters being QuickJS cells.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@glia-os/abi/testing";
import {
  type AgentContext,
  type AgentRef,
  type AgentRoutine,
  type AgentSystem,
  agent,
  createLocalSystem,
} from "@glia-os/cells/agent";
import {
  channel,
  noRumors,
  pipe,
  quorum,
  type RumorState,
  rumors,
  source,
  stage,
  voterSet,
} from "@glia-os/cells/orchestration";
import { SimulatedAgents } from "@glia-os/cells/testing";
import { connectSystem, createNode } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { voter } from "../src/cells/voter.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const VOTERS = 5;
const VILLAGERS = 1000;
/** Quorums that do not count: beginning a routine and the first messages over a link cost more. */
const WARM = 20;

function ownSystem(): AgentSystem {
  return createLocalSystem({
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
  });
}

/** Quorums one after another inside one routine, after some that do not count; milliseconds per quorum. */
function quorums(
  system: AgentSystem,
  refs: readonly AgentRef<typeof voter>[],
  times: number,
): Promise<number> {
  return system.run(function* (ctx) {
    const set = voterSet("bench", 1, refs);
    const options = { threshold: "unanimous", timeoutMs: 60_000 } as const;
    let startMs = performance.now();
    for (let n = -WARM; n < times; n++) {
      if (n === 0) startMs = performance.now();
      const { outcome } = yield* quorum(ctx, set, "vote", "go?", options);
      if (outcome !== "reached") throw new RangeError(`a quorum ended as ${outcome}`);
    }
    return (performance.now() - startMs) / times;
  });
}

async function inThread(): Promise<Contestant> {
  const system = ownSystem();
  const refs: AgentRef<typeof voter>[] = [];
  for (let n = 0; n < VOTERS; n++) refs.push(await system.spawn(voter));
  return { value: async () => 1000 * (await quorums(system, refs, 10_000)), close: () => system.close() };
}

async function onLoopback(): Promise<Contestant> {
  const base = mkdtempSync(join(tmpdir(), "glia-bench-"));
  const bind = { host: "127.0.0.1", port: 0 };
  const founded = { kind: "new-cluster" } as const;
  const hub = await createNode({
    dataDir: join(base, "hub"),
    name: "hub",
    role: "core",
    bind,
    start: founded,
  });
  const line = await hub.createJoinLine({ ttlMs: 60_000, uses: 1 });
  const start = { kind: "join", line } as const;
  const edge = await createNode({ dataDir: join(base, "edge"), name: "edge", role: "edge", bind, start });
  const module = await buildAgent({ entry: join(import.meta.dirname, "../src/cells/voter.ts") });
  const system = connectSystem(hub, { modules: [[voter, module]] });
  const refs: AgentRef<typeof voter>[] = [];
  for (let n = 0; n < VOTERS; n++) refs.push(await system.spawn(voter, { on: "edge" }));
  return {
    value: () => quorums(system, refs, 50),
    async close() {
      await system.close();
      await edge.stop();
      await hub.stop();
      rmSync(base, { recursive: true });
    },
  };
}

const sink = agent({
  name: "sink",
  on: {
    take: {
      handle(_ctx: AgentContext, n: number): number {
        return n;
      },
    },
  },
});

async function puts(): Promise<Contestant> {
  const system = ownSystem();
  const to = await system.spawn(sink);
  const run = (times: number): Promise<void> =>
    system.run(function* (ctx): AgentRoutine<void> {
      const out = channel(ctx, to, "take");
      for (let n = 0; n < times; n++) yield* out.put(n);
      yield* out.flush();
    });
  return { run, close: () => system.close() };
}

const numbers = source({
  name: "numbers",
  start: (to: number) => ({ at: 0, to }),
  next: (own) => (own.at < own.to ? { value: own.at++ } : undefined),
});
const same = stage({ name: "same", each: (n: number) => [n] });
const total = stage({
  name: "total",
  start: () => ({ sum: 0 }),
  each(n: number, own) {
    own.sum += n;
    return [];
  },
  end: (own) => [own.sum],
});

async function items(): Promise<Contestant> {
  const system = ownSystem();
  const run = (times: number): Promise<void> =>
    system.run(function* (ctx): AgentRoutine<void> {
      const [sum] = yield* (yield* pipe(numbers, same, total).run(ctx, times)).collect();
      if (sum !== (times * (times - 1)) / 2)
        throw new RangeError(`the sum of ${times} numbers came out as ${sum}`);
    });
  return { run, close: () => system.close() };
}

interface Villager {
  rumors: RumorState<string>;
  members: readonly string[];
  heard: number;
}
const news = rumors<Villager, string>({
  memory: (state) => state.rumors,
  members: (state) => state.members,
  heard: (ctx) => void ctx.state.heard++,
});
const villager = agent({
  name: "villager",
  state: (): Villager => ({ rumors: noRumors(), members: [], heard: 0 }),
  on: {
    ...news.handlers,
    meet: { handle: (ctx: AgentContext<Villager>, ids: readonly string[]) => void (ctx.state.members = ids) },
    say: { handle: (ctx: AgentContext<Villager>, text: string) => news.broadcast(ctx, text) },
  },
});

let seed = 0;

/** Virtual milliseconds until all heard; infinite when one has not after a minute. */
async function broadcast(): Promise<number> {
  const time = new VirtualTime();
  const agents = new SimulatedAgents({ time, random: new SeededRandom(++seed) });
  const all = Array.from({ length: VILLAGERS }, () => agents.make(villager));
  const ids = all.map(({ ref }) => ref.id);
  for (const { ref } of all) agents.tell(ref, "meet", ids);
  const [origin, ...others] = all;
  if (origin === undefined) return Number.POSITIVE_INFINITY;
  agents.tell(origin.ref, "say", "news");
  const startMs = time.monotonicMs();
  const heard = await time.advanceUntil(
    () => others.every(({ state }) => (state as Villager).heard === 1),
    60_000,
  );
  return heard ? time.monotonicMs() - startMs : Number.POSITIVE_INFINITY;
}

const alone = { peers: {}, better: "lower" as const };
const rows: readonly RowDefinition[] = [
  {
    id: "quorum-thread",
    what: `ask ${VOTERS} agents of the same thread and count all ${VOTERS} answers, inside a routine`,
    unit: "us",
    excludes: "making the agents; the first 20 quorums of a routine",
    glia: inThread,
    ...alone,
  },
  {
    id: "quorum-loopback",
    what: `ask ${VOTERS} QuickJS cells on another node over QUIC on loopback and count all ${VOTERS} answers, from outside`,
    unit: "ms",
    excludes:
      "making the agents and the nodes; the first 20 quorums of a routine; both nodes and the program are in one process, each with its threads",
    target: { max: 5 },
    glia: onLoopback,
    ...alone,
  },
  {
    id: "channel-put",
    what: "put a number into a channel of capacity 16 to an agent of the same thread, until it was handled",
    unit: "us",
    excludes: "making the agent",
    glia: puts,
    ...alone,
  },
  {
    id: "pipeline-item",
    what: "take a number through a pipeline of three stages of the same thread: a source, a stage that passes it on, a sum",
    unit: "us",
    excludes: "nothing: making the stages is in it",
    glia: items,
    ...alone,
  },
  {
    id: "rumor-all",
    what: `virtual milliseconds until all of ${VILLAGERS} simulated agents heard a rumor, another seed per round`,
    unit: "virtual ms",
    excludes: "computing: time is virtual; an envelope takes 5 ms and 20 ms on the average on top, one way",
    target: { max: 2000 },
    glia: () => ({ value: broadcast }),
    ...alone,
  },
];

/** The suite. */
export const suite: Suite = { title: "Orchestration of agents", rows };
