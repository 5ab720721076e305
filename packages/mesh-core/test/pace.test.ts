/** Nodes that save power: they speak less, and nobody is mistaken about them or about who crashed. */
import type { NodeId } from "@glia-os/abi/ids";
import { describe, expect, it } from "vitest";
import { decodeEnvelope } from "../src/codec/envelope.ts";
import { PACE_MAX } from "../src/membership/membership.ts";
import type { MembershipProfile } from "../src/membership/parameters.ts";
import { CALM } from "../src/testing/index.ts";
import { Cluster, type TestNode } from "./cluster.ts";

const MINUTE_MS = 60_000;
const SEEDS = process.env["GLIA_SOAK"] === "1" ? 200 : 2;

/** Pings that each node sent in so much virtual time. */
async function pings(cluster: Cluster, ms: number): Promise<ReadonlyMap<NodeId, number>> {
  const counts = new Map<NodeId, number>();
  cluster.network.onDelivery = ({ from, message }) => {
    if (decodeEnvelope(message).kind === "ping") counts.set(from, (counts.get(from) ?? 0) + 1);
    return true;
  };
  await cluster.time.advance(ms);
  cluster.network.onDelivery = undefined;
  return counts;
}

const stateOf = (node: TestNode, of: NodeId): string | undefined =>
  node.mesh.members().find((member) => member.node === of)?.state;

/** Every member of `cluster` that runs, as another one of them sees it. */
function views(cluster: Cluster): readonly (string | undefined)[] {
  const running = cluster.nodes.filter(({ process }) => process.running);
  return running.flatMap((node) => running.map(({ id }) => stateOf(node, id)));
}

describe("the pace of a node", () => {
  it("M7: a node at five times the pace probes a fifth as often, answers as before, and is never suspected", async () => {
    const cluster = new Cluster(401);
    await cluster.boot(6);
    for (const n of [1, 2]) cluster.node(n).mesh.setPace(PACE_MAX);
    await cluster.time.advance(MINUTE_MS);
    const counts = await pings(cluster, 10 * MINUTE_MS);
    const [slow, usual] = [1, 3].map((n) => counts.get(cluster.node(n).id) ?? 0) as [number, number];
    expect(usual).toBeGreaterThan(500);
    expect(slow / usual).toBeCloseTo(1 / PACE_MAX, 1);
    expect(new Set(views(cluster))).toEqual(new Set(["alive"]));
    for (const { events } of cluster.nodes)
      expect(events.filter(({ kind }) => /suspect|dead|quorum/i.test(kind))).toEqual([]);
  });

  it("M7: it is cut to the range, holds from before the start, and is given back", async () => {
    const cluster = new Cluster(402);
    await cluster.boot(3);
    cluster.node(1).mesh.setPace(1000);
    cluster.node(2).mesh.setPace(0);
    await cluster.time.advance(MINUTE_MS);
    const counts = await pings(cluster, 5 * MINUTE_MS);
    expect(counts.get(cluster.node(1).id)).toBeGreaterThan(40);
    expect(counts.get(cluster.node(2).id)).toBeLessThan(400);
    cluster.node(1).mesh.setPace(1);
    await cluster.time.advance(MINUTE_MS);
    expect((await pings(cluster, 5 * MINUTE_MS)).get(cluster.node(1).id)).toBeGreaterThan(200);
  });

  it.each<MembershipProfile>(["lan", "wan", "local", "fast", "relaxed"])(
    "M7: in the profile %s nodes that are all slow stay alive for each other over a lossy network, and find the one that crashed",
    async (membership) => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const cluster = new Cluster(410 + seed, { ...CALM, loss: 0.05, jitterMs: 20 });
        await cluster.boot(5, { membership });
        for (const { mesh } of cluster.nodes) mesh.setPace(PACE_MAX);
        await cluster.time.advance(10 * MINUTE_MS);
        for (const { events } of cluster.nodes)
          expect(
            events.filter(({ kind }) => kind === "memberDead"),
            `seed ${seed}`,
          ).toEqual([]);
        const [gone] = cluster.nodes.splice(4, 1) as [TestNode];
        gone.process.crash(true);
        await cluster.time.advance(5 * MINUTE_MS);
        for (const node of cluster.nodes) expect(stateOf(node, gone.id), `seed ${seed}`).toBe("dead");
      }
      console.log(`pace, ${membership}: ${SEEDS} seeds`);
    },
  );
});
