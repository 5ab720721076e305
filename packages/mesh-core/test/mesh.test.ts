/** The composed node: founding, joining, calls, coordination through the anchor, links and moves on a calm network. */
import { describe, expect, it } from "vitest";
import { Cluster, numberOf, payload } from "./cluster.ts";

describe("a mesh of three", () => {
  it("every node sees every other alive", async () => {
    const cluster = new Cluster(1);
    await cluster.boot(3);
    for (const { mesh } of cluster.nodes) {
      expect(mesh.members().map(({ state }) => state)).toEqual(["alive", "alive", "alive"]);
    }
  });

  it("an agent moves with its state while messages flow, none lost and none doubled", async () => {
    const cluster = new Cluster(2);
    await cluster.boot(3);
    const [core, edge, relay] = [cluster.node(0), cluster.node(1), cluster.node(2)];
    const agent = await cluster.spawn(edge, 1, 300_000);
    const link = relay.mesh.link(agent);
    const sends: Promise<void>[] = [];
    for (let n = 0; n < 500; n++) sends.push(link.send(payload(n)));
    const report = await cluster.time.settle(edge.mesh.migrate(agent, core.id));
    for (let n = 500; n < 1000; n++) sends.push(link.send(payload(n)));
    await cluster.time.settle(Promise.all(sends));
    const answer = await cluster.time.settle(link.ask(payload(1000), 10_000));
    expect(numberOf(answer)).toBe(1000);
    expect(core.cells.applied(agent)).toEqual(Array.from({ length: 1001 }, (_, n) => n));
    expect(report.phases.map(({ phase }) => phase)).toEqual([
      "planning",
      "frozen",
      "staged",
      "commit",
      "live",
    ]);
    expect(report.bytes).toBeGreaterThan(300_000);
    expect(cluster.liveOn(agent)).toEqual([core]);
    const second = await cluster.time.settle(core.mesh.migrate(agent, relay.id));
    expect(second.epoch).toBe(3);
    await cluster.time.settle(link.send(payload(1001)));
    await cluster.time.settle(link.flush(10_000));
    expect(relay.cells.applied(agent).at(-1)).toBe(1001);
    expect(relay.cells.applied(agent)).toHaveLength(1002);
  });
});
