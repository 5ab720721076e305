/** The composed node: founding, joining, calls, coordination through the anchor, links and moves on a calm network. */

import { errorCodeOf } from "@glia-os/abi/errors";
import { describe, expect, it } from "vitest";
import { agentId, Cluster, numberOf, payload } from "./cluster.ts";
import { signerOf } from "./digests.ts";

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

describe("links through the mesh", () => {
  it("a client sends, asks and closes; an agent that does not exist breaks the link", async () => {
    const cluster = new Cluster(3);
    await cluster.boot(2);
    const agent = await cluster.spawn(cluster.node(1), 1);
    const client = await cluster.join(7, "client");
    const link = client.mesh.link(agent);
    expect(client.mesh.link(agent)).toBe(link);
    await cluster.time.settle(link.send(payload(1)));
    expect(numberOf(await cluster.time.settle(link.ask(payload(2), 5000)))).toBe(2);
    expect(await cluster.time.settle(link.flush(5000))).toEqual({
      sent: 2,
      acknowledged: 2,
      resent: 0,
      awaiting: 0,
    });
    const nobody = client.mesh.link(agentId(99));
    await expect(cluster.time.settle(nobody.ask(payload(1), 5000))).rejects.toMatchObject({
      code: "mesh.agent-unknown",
    });
    await cluster.time.settle(client.mesh.stop());
    expect(cluster.node(1).cells.applied(agent)).toEqual([1, 2]);
  });

  it("an agent on the sender's own node is reached without the network", async () => {
    const cluster = new Cluster(4);
    await cluster.boot(1);
    const agent = await cluster.spawn(cluster.anchor, 1);
    const link = cluster.anchor.mesh.link(agent);
    expect(numberOf(await cluster.time.settle(link.ask(payload(5), 5000)))).toBe(5);
    expect(cluster.network.delivered).toBe(0);
  });

  it("streams that break all the time lose and double nothing while the agent goes round", async () => {
    for (const seed of [61, 62, 63]) {
      const cluster = new Cluster(seed);
      await cluster.boot(4);
      const agent = await cluster.spawn(cluster.node(1), 1, 100_000);
      cluster.network.faults = { loss: 0.1, duplication: 0.1, breaks: 0.02, delayMs: 1, jitterMs: 5 };
      const link = cluster.node(3).mesh.link(agent);
      let sent = 0;
      for (let hop = 0; hop < 6; hop++) {
        for (let i = 0; i < 60; i++) link.send(payload(sent++)).catch(() => undefined);
        const from = cluster.liveOn(agent)[0];
        const to = cluster.node((hop + 2) % 3);
        if (from !== undefined && from !== to) {
          const moving = from.mesh.migrate(agent, to.id).catch(() => undefined);
          await cluster.time.settle(moving, 200_000);
        }
        expect(cluster.liveOn(agent).length).toBeLessThanOrEqual(1);
      }
      await cluster.time.settle(link.flush(120_000), 130_000);
      const [home] = cluster.liveOn(agent);
      expect(home?.cells.applied(agent), `seed ${seed}`).toEqual(Array.from({ length: sent }, (_, n) => n));
    }
  });
});

describe("refusals of a move", () => {
  it("an unknown or dead destination, this node itself, a foreign agent, a refusing destination and a second move", async () => {
    const cluster = new Cluster(5);
    await cluster.boot(3);
    const [anchor, source, destination] = [cluster.node(0), cluster.node(1), cluster.node(2)];
    const agent = await cluster.spawn(source, 1);
    const code = async (promise: Promise<unknown>): Promise<string | undefined> => {
      try {
        await cluster.time.settle(promise);
        return undefined;
      } catch (error) {
        return errorCodeOf(error);
      }
    };
    expect(await code(source.mesh.migrate(agent, "ab".repeat(32) as never))).toBe("mesh.unknown-member");
    expect(await code(source.mesh.migrate(agent, source.id))).toBe("mesh.migration-refused");
    expect(await code(anchor.mesh.migrate(agent, destination.id))).toBe("mesh.not-hosted");
    destination.cells.refuse = new TypeError("no room");
    expect(await code(source.mesh.migrate(agent, destination.id))).toBe("mesh.migration-refused");
    expect(source.cells.state(agent)).toBe("live");
    destination.cells.refuse = undefined;
    const moving = source.mesh.migrate(agent, destination.id);
    expect(await code(source.mesh.migrate(agent, anchor.id))).toBe("mesh.migration-in-progress");
    expect((await cluster.time.settle(moving)).epoch).toBe(2);
    anchor.process.crash();
    await cluster.time.advance(60_000);
    expect(await code(destination.mesh.migrate(agent, anchor.id))).toBe("mesh.migration-refused");
  });

  it("MG3: a move past its deadline is rolled back and the agent goes on at the source", async () => {
    const cluster = new Cluster(6);
    await cluster.boot(3, { migrationDeadlineMs: 2000 });
    const [source, destination] = [cluster.node(1), cluster.node(2)];
    const agent = await cluster.spawn(source, 1, 2_000_000);
    cluster.network.faults = { loss: 0, duplication: 0, breaks: 0, delayMs: 400, jitterMs: 0 };
    await expect(cluster.time.settle(source.mesh.migrate(agent, destination.id))).rejects.toMatchObject({
      code: "mesh.migration-aborted",
    });
    expect(source.cells.state(agent)).toBe("live");
    cluster.network.faults = { loss: 0, duplication: 0, breaks: 0, delayMs: 1, jitterMs: 0 };
    await cluster.time.advance(60_000);
    expect(destination.cells.state(agent)).toBe(undefined);
    expect((await cluster.time.settle(source.mesh.migrate(agent, destination.id))).epoch).toBe(2);
  });

  it("options out of range are refused by name before anything starts", () => {
    const cluster = new Cluster(7);
    const found = { kind: "found", clusterSigner: signerOf(0, "cluster") } as const;
    for (const [more, name] of [
      [{ name: "No" }, "name"],
      [{ bootEpoch: 0 }, "bootEpoch"],
      [{ migrationDeadlineMs: 0 }, "migrationDeadlineMs"],
      [{ joinTimeoutMs: 1e9 }, "joinTimeoutMs"],
      [{ anchorTimeoutMs: 6000 }, "anchorTimeoutMs"],
    ] as const)
      expect(() => cluster.build(1, "core", found, more)).toThrow(new RegExp(name));
    expect(() => cluster.build(1, "client", found)).toThrow(/role/);
  });
});
