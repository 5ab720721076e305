/**
 * Moves under failure, at every step: before each message of a move is delivered, one participant crashes, or the way to the anchor
 * breaks for a while. Invariants: at most one live copy per epoch order, the live one is the registry's owner, and no acknowledged
 * message is lost or applied twice where the owner survives.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import { describe, expect, it } from "vitest";
import { Cluster, payload, type TestNode } from "./cluster.ts";

type Fault = (typeof FAULTS)[number] | "none";

interface Outcome {
  readonly steps: number;
  readonly result: string;
  readonly hash: string;
}

const FAULTS = [
  "source",
  "destination",
  "source-destination-cut",
  "source-anchor-cut",
  "anchor-cut",
  "anchor",
  "cancel",
] as const;
const STRATEGIES = ["stop-and-copy", "pre-copy", "post-copy", "hybrid"] as const;
type Strategy = (typeof STRATEGIES)[number];

/** One move of an agent with 200 kB from node 1 to node 2 (anchor is node 0, sender is node 3), with `fault` before message `step`. */
async function move(
  fault: Fault,
  step: number,
  seed = 7,
  strategy: Strategy = "stop-and-copy",
): Promise<Outcome> {
  const cluster = new Cluster(seed);
  await cluster.boot(4);
  const [anchor, source, destination, sender] = [0, 1, 2, 3].map((n) => cluster.node(n)) as [
    TestNode,
    TestNode,
    TestNode,
    TestNode,
  ];
  const agent = await cluster.spawn(source, 1, 200_000);
  const cancelled: boolean[] = [];
  const link = sender.mesh.link(agent);
  let sent = 0;
  const acknowledgedBefore = (): number => link.stats().acknowledged;
  const send = (count: number): void => {
    for (let i = 0; i < count; i++) link.send(payload(sent++)).catch(() => undefined);
  };
  send(20);
  await cluster.time.advance(50);
  if (seed !== 7)
    cluster.network.faults = { loss: 0.1, duplication: 0.1, breaks: 0.01, delayMs: 1, jitterMs: 4 };
  const first = cluster.network.delivered;
  let steps = 0;
  let hit = false;
  cluster.network.onDelivery = (_delivery, index) => {
    steps = index - first;
    checkOneOwner(cluster, agent);
    if (hit || steps !== step) return true;
    hit = true;
    inject(cluster, fault, { anchor, source, destination });
    // As from a turn of its own: whoever cancels does not do so in the middle of a delivery.
    if (fault === "cancel")
      void Promise.resolve()
        .then(() => source.mesh.cancelMigration(agent))
        .then(
          (rolledBack) => cancelled.push(rolledBack),
          (error: unknown) => expect(errorCodeOf(error)).toBe("mesh.no-migration"),
        );
    return true;
  };
  const moving = source.mesh.migrate(agent, destination.id, { strategy });
  let result = "pending";
  let stepsOfMove = 0;
  moving.then(
    (report) => {
      stepsOfMove = steps;
      expect(report.strategy).toBe(strategy);
      result = "moved";
    },
    (error: unknown) => {
      result = errorCodeOf(error) ?? String(error);
    },
  );
  for (let i = 0; i < 10; i++) {
    send(2);
    await cluster.time.advance(3);
  }
  await cluster.time.advanceUntil(() => result !== "pending", 60_000);
  cluster.network.heal();
  await settled(cluster, agent, sent);
  cluster.network.onDelivery = undefined;
  if (cancelled[0] !== undefined) expect(result).toBe(cancelled[0] ? "mesh.migration-cancelled" : "moved");
  const acknowledged = acknowledgedBefore();
  const row = await cluster.engine.getAgent(agent);
  const owner = cluster.nodes.find(({ id }) => id === row?.owner);
  const isLost = owner?.cells.lost.has(agent) === true;
  const live = cluster.liveOn(agent);
  expect(live.length, "at most one live copy").toBeLessThanOrEqual(1);
  if (live[0] !== undefined) {
    expect(live[0].id, "the live copy is the owner's").toBe(row?.owner);
    expect(live[0].cells.epoch(agent), "under the registry's epoch").toBe(row?.epoch);
    const applied = live[0].cells.applied(agent);
    expect(applied, "in order, once").toEqual(Array.from({ length: applied.length }, (_, n) => n));
    expect(applied.length, "every acknowledged message").toBeGreaterThanOrEqual(acknowledged);
    if (sender.process.running) expect(applied.length, "everything sent arrives in the end").toBe(sent);
  } else if (isLost) {
    // The source died with what the agent needed: it ran where the row says and nowhere else, and runs nowhere any more.
    expect(["post-copy", "hybrid"]).toContain(strategy);
    expect(fault, "only the death of the source loses an agent that is not whole").toBe("source");
    expect(owner?.id).toBe(destination.id);
  } else if (fault === "anchor") {
    // The coordinator died with the answer to the swap: nobody runs the agent until coordination is back and says who owns it (rule 2).
    expect(result, "the move waits for the registry").toBe("pending");
  } else {
    expect(owner?.process.running, "without a live copy the owner is dead").toBe(false);
  }
  return { steps: stepsOfMove, result, hash: cluster.network.traceHash };
}

/** Until the owner's copy has everything that was sent and nothing more can come of it; a dead owner's agents go nowhere. */
async function settled(cluster: Cluster, agent: AgentId, sent: number): Promise<void> {
  let row = await cluster.engine.getAgent(agent);
  const whole = (): boolean => {
    const owner = cluster.nodes.find(({ id }) => id === row?.owner);
    if (owner?.process.running === false || owner?.cells.lost.has(agent) === true) return true;
    const [live] = cluster.liveOn(agent);
    return live !== undefined && live.id === row?.owner && live.cells.applied(agent).length === sent;
  };
  for (let waitedMs = 0; waitedMs < 90_000 && !whole(); waitedMs += 1000) {
    await cluster.time.advance(1000);
    row = await cluster.engine.getAgent(agent);
  }
  await cluster.time.advance(2000);
}

function checkOneOwner(cluster: Cluster, agent: AgentId): void {
  const live = cluster.liveOn(agent);
  expect(live.length, "at most one live copy at every delivery").toBeLessThanOrEqual(1);
}

function inject(
  { network }: Cluster,
  fault: Fault,
  { anchor, source, destination }: Record<"anchor" | "source" | "destination", TestNode>,
): void {
  if (fault === "source") source.process.crash();
  else if (fault === "destination") destination.process.crash();
  else if (fault === "anchor") anchor.process.crash();
  else if (fault === "anchor-cut") network.partition([anchor.id]);
  else if (fault === "source-destination-cut") network.breakSessions(source.id, destination.id);
  else if (fault === "source-anchor-cut") network.breakSessions(source.id, anchor.id);
}

describe.each(STRATEGIES)("a move by %s with a failure at every step", (strategy) => {
  // Seed 7 is a calm network; the others add loss, doubling, jitter and broken streams.
  const soak = process.env["GLIA_SOAK"] === "1";
  const seeds = soak ? [7, 8, 9, 10, 11, 12] : [7];
  const byPages = strategy === "post-copy" || strategy === "hybrid";
  const most = byPages ? 72 : 40;
  const every = Array.from({ length: most }, (_, step) => step);

  for (const fault of FAULTS) {
    // Without its anchor a move waits for its deadline, and pre-copy takes the same steps behind its rounds: all of these in the long tier only.
    const slow = fault === "anchor" ? 9 : fault === "anchor-cut" || strategy === "pre-copy" ? 3 : 1;
    const nth = soak ? 1 : byPages ? 6 + 2 * (slow - 1) : slow;
    const steps = every.filter((step) => step % nth === nth - 1);
    it(`G1, G2, G5: ${fault} at ${nth === 1 ? "each" : `one in ${nth}`} of the first ${most} messages leaves one owner and loses nothing`, async () => {
      const results = new Map<string, number>();
      for (const seed of seeds) {
        for (const step of steps) {
          const { result } = await move(fault, step, seed, strategy);
          // Virtual time runs on promises alone: the test process shows here that it goes on.
          await new Promise((done) => setImmediate(done));
          results.set(result, (results.get(result) ?? 0) + 1);
        }
      }
      expect(results.size).toBeGreaterThanOrEqual(1);
    });
  }

  it("the same seed gives the same trace", async () => {
    for (const step of [5, 17, 31]) {
      const first = await move("source-anchor-cut", step, 7, strategy);
      const second = await move("source-anchor-cut", step, 7, strategy);
      expect(second).toEqual(first);
    }
  });

  it("a move without a fault takes fewer messages than the steps that are tried", async () => {
    const { steps: taken, result } = await move("none", -1, 7, strategy);
    expect(result).toBe("moved");
    expect(taken).toBeLessThan(most);
  });
});
